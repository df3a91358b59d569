/// A form together with the type that its values get in `Settings`.
struct ValueType<Value: Sendable>: Sendable {
    let form: OptionForm
    /// From a value that fits the form; nil can't happen for one that does.
    let typed: @Sendable (OptionValue) -> Value?
    let untyped: @Sendable (Value) -> OptionValue
}

extension ValueType where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the words of an enumeration.
    static var choice: ValueType {
        ValueType(form: .choice(Value.allCases.map(\.rawValue))) { value in
            guard case .text(let word) = value else { return nil }
            return Value(rawValue: word)
        } untyped: {
            .text($0.rawValue)
        }
    }
}

extension ValueType where Value == Bool {
    static let flag = ValueType(form: .flag) { value in
        guard case .flag(let flag) = value else { return nil }
        return flag
    } untyped: {
        .flag($0)
    }
}

extension ValueType where Value == Int {
    static func count(_ range: ClosedRange<Int>) -> ValueType {
        ValueType(form: .count(range)) { value in
            guard case .count(let count) = value else { return nil }
            return count
        } untyped: {
            .count($0)
        }
    }
}

extension ValueType where Value == Double {
    static func number(_ range: ClosedRange<Double>) -> ValueType {
        ValueType(form: .number(range)) { value in
            guard case .number(let number) = value else { return nil }
            return number
        } untyped: {
            .number($0)
        }
    }

    /// A share, 0 … 1.
    static let share = number(0...1)
}

extension ValueType where Value == String {
    static let text = text(.text)
    static let name = text(.name)
    static let path = text(.path)
    static let template = text(.template)
    /// A word that decides which other options there are; it isn't kept as such in `Settings`.
    static func word(_ words: [String]) -> ValueType { text(.choice(words)) }

    private static func text(_ form: OptionForm) -> ValueType {
        ValueType(form: form) { value in
            guard case .text(let text) = value else { return nil }
            return text
        } untyped: {
            .text($0)
        }
    }
}

extension ValueType where Value == [String] {
    static func list(least: Int = 0) -> ValueType {
        ValueType(form: .list(least: least)) { value in
            guard case .list(let list) = value else { return nil }
            return list
        } untyped: {
            .list($0)
        }
    }
}

extension ValueType where Value == UInt32 {
    static let permissions = ValueType(form: .permissions) { value in
        guard case .text(let digits) = value else { return nil }
        return Permissions.bits(digits)
    } untyped: {
        .text(Permissions.text($0))
    }
}

extension ValueType where Value == ListenAddress {
    static let address = ValueType(form: .address) { value in
        guard case .text(let text) = value else { return nil }
        return AddressText.address(text)
    } untyped: {
        .text($0.description)
    }
}
