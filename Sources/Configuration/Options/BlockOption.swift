/// Settings with defaults: those of a new value.
package protocol SettingsGroup: Sendable, Equatable {
    /// The defaults. A required option has an empty value, which no valid file leaves.
    init()
}

/// The place of a property in the settings.
package typealias SettingsPath<Root, Value> = any WritableKeyPath<Root, Value> & Sendable

/// One option of a block: the only declaration of its name, form, unit, range, meaning and reload effect, and of its
/// property in `Root`. The default is the property's initial value.
package struct BlockOption<Root>: Sendable {
    package let facts: OptionFacts
    /// Sets the property if the file has the option.
    let read: @Sendable (_ reader: BlockReader, _ settings: inout Root) -> Void
    /// Returns nil if the option is absent.
    let value: @Sendable (_ settings: Root) -> OptionValue?
}

extension BlockOption where Root: SettingsGroup {
    /// An option with a default. If the file lacks it and the environment has `variable`, that is its value: the first
    /// one, since systemd separates several directories by colons.
    package init<Value: Sendable>(
        _ name: String, _ type: ValueType<Value>, at path: SettingsPath<Root, Value>,
        only conditions: [OptionFacts.Condition] = [], example: String? = nil, variable: String? = nil,
        reload: ReloadEffect, _ meaning: String
    ) {
        let fallback = type.untyped(Root()[keyPath: path])
        let facts = OptionFacts(
            name: name, form: type.form, unit: type.unit, absence: .defaults(to: fallback), conditions: conditions,
            reload: reload, meaning: meaning, example: example ?? YAMLText.value(fallback, form: type.form))
        self.facts = facts
        read = { reader, settings in
            if let value = reader.value(of: facts).flatMap(type.typed) { settings[keyPath: path] = value }
            guard !reader.has(name), let variable else { return }
            let given = reader.context.environment[variable]?.split(separator: ":").first
            if let value = given.flatMap({ type.typed(.text(String($0))) }) { settings[keyPath: path] = value }
        }
        value = { type.untyped($0[keyPath: path]) }
    }

    /// A required option.
    package init<Value: Sendable>(
        required name: String, _ type: ValueType<Value>, at path: SettingsPath<Root, Value>,
        only conditions: [OptionFacts.Condition] = [], example: String, reload: ReloadEffect, _ meaning: String
    ) {
        let facts = OptionFacts(
            name: name, form: type.form, unit: type.unit, absence: .refused, conditions: conditions, reload: reload,
            meaning: meaning, example: example)
        self.facts = facts
        read = { reader, settings in
            if let value = reader.value(of: facts).flatMap(type.typed) { settings[keyPath: path] = value }
        }
        value = { type.untyped($0[keyPath: path]) }
    }

    /// An optional option; `absent` says what its absence means.
    package init<Value: Sendable>(
        _ name: String, _ type: ValueType<Value>, at path: SettingsPath<Root, Value?>, absent: String,
        only conditions: [OptionFacts.Condition] = [], example: String, reload: ReloadEffect, _ meaning: String
    ) {
        let facts = OptionFacts(
            name: name, form: type.form, unit: type.unit, absence: .means(absent), conditions: conditions,
            reload: reload, meaning: meaning, example: example)
        self.facts = facts
        read = { reader, settings in
            if let value = reader.value(of: facts).flatMap(type.typed) { settings[keyPath: path] = value }
        }
        value = { $0[keyPath: path].map(type.untyped) }
    }
}

extension BlockOption {
    /// Returns the same option of a block that holds this group in a property.
    package func inside<Outer>(_ path: SettingsPath<Outer, Root>) -> BlockOption<Outer> {
        let (read, value) = (read, value)
        return BlockOption<Outer>(facts: facts) {
            read($0, &$1[keyPath: path])
        } value: {
            value($0[keyPath: path])
        }
    }
}
