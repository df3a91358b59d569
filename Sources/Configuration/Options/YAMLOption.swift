/// An option whose value is `Value` in `Settings`, without a default: it must be there, or its absence means something.
struct YAMLOption<Value: Sendable>: Sendable {
    let facts: OptionFacts
    let type: ValueType<Value>

    /// An option that must be there.
    init(
        required name: String, _ type: ValueType<Value>, only conditions: [OptionFacts.Condition] = [],
        example: String, _ meaning: String
    ) {
        self.type = type
        facts = OptionFacts(
            name: name, form: type.form, absence: .refused, conditions: conditions, meaning: meaning, example: example)
    }

    /// An option that may be left out, which then means `absent`.
    init(
        _ name: String, _ type: ValueType<Value>, absent: String, only conditions: [OptionFacts.Condition] = [],
        example: String, _ meaning: String
    ) {
        self.type = type
        facts = OptionFacts(
            name: name, form: type.form, absence: .means(absent), conditions: conditions, meaning: meaning,
            example: example)
    }
}

/// An option with a default, so that it always has a value.
struct DefaultedOption<Value: Sendable>: Sendable {
    let facts: OptionFacts
    let type: ValueType<Value>
    let fallback: Value

    init(
        _ name: String, _ type: ValueType<Value>, default fallback: Value,
        only conditions: [OptionFacts.Condition] = [], example: String? = nil, _ meaning: String
    ) {
        self.type = type
        self.fallback = fallback
        let value = type.untyped(fallback)
        facts = OptionFacts(
            name: name, form: type.form, absence: .defaults(to: value), conditions: conditions, meaning: meaning,
            example: example ?? YAMLText.value(value, form: type.form))
    }
}
