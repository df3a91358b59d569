/// An option's form and unit with the conversion to its type in the settings.
package struct ValueType<Value: Sendable>: Sendable {
    let form: OptionForm
    var unit: OptionUnit?
    /// Converts a value that fits the form. It returns nil only for one that doesn't.
    let typed: @Sendable (OptionValue) -> Value?
    let untyped: @Sendable (Value) -> OptionValue
}

extension ValueType where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the words of an enumeration.
    package static var choice: ValueType {
        ValueType(form: .choice(Value.allCases.map(\.rawValue))) { value in
            guard case .text(let word) = value else { return nil }
            return Value(rawValue: word)
        } untyped: {
            .text($0.rawValue)
        }
    }
}

extension ValueType where Value == Bool {
    package static let flag = ValueType(form: .flag) { value in
        guard case .flag(let flag) = value else { return nil }
        return flag
    } untyped: {
        .flag($0)
    }
}

extension ValueType where Value == Int {
    package static func count(_ range: ClosedRange<Int>, _ unit: OptionUnit? = nil) -> ValueType {
        ValueType(form: .count(range), unit: unit) { value in
            guard case .count(let count) = value else { return nil }
            return count
        } untyped: {
            .count($0)
        }
    }
}

extension ValueType where Value == Double {
    package static func number(_ range: ClosedRange<Double>, _ unit: OptionUnit? = nil) -> ValueType {
        ValueType(form: .number(range), unit: unit) { value in
            guard case .number(let number) = value else { return nil }
            return number
        } untyped: {
            .number($0)
        }
    }

    /// A share, 0 … 1.
    package static let share = share(0...1)

    package static func share(_ range: ClosedRange<Double>) -> ValueType { number(range, .share) }
}

extension ValueType where Value == String {
    package static let text = text(.text)
    package static let name = text(.name)
    package static let path = text(.path)
    package static let template = text(.template)

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
    package static func list(least: Int = 0) -> ValueType {
        ValueType(form: .list(least: least)) { value in
            guard case .list(let list) = value else { return nil }
            return list
        } untyped: {
            .list($0)
        }
    }
}

extension ValueType where Value == UInt32 {
    package static let permissions = ValueType(form: .permissions) { value in
        guard case .text(let digits) = value else { return nil }
        return Permissions.bits(digits)
    } untyped: {
        .text(Permissions.text($0))
    }
}

extension ValueType where Value == ListenAddress {
    package static let address = ValueType(form: .address) { value in
        guard case .text(let text) = value else { return nil }
        return AddressText.address(text)
    } untyped: {
        .text($0.description)
    }
}

/// The syntax of source and sink names, which appear in answers, in metrics and, as `{source}`, in paths.
package enum NameRule {
    package static let longest = 64
    /// The rule as a regular expression for the schema. It doesn't exclude control characters; the reader does.
    package static let pattern = "^[^\\s/.][^\\s/]*$"

    /// Returns whether a name has 1 to 64 printable characters, no white space or slash, and no leading dot.
    static func allows(_ name: String) -> Bool {
        let scalars = name.unicodeScalars
        guard let first = scalars.first, first != ".", scalars.count <= longest else { return false }
        return scalars.allSatisfy { YAMLText.isPrintable($0) && !$0.properties.isWhitespace && $0 != "/" }
    }
}

/// Parses addresses.
enum AddressText {
    /// Why an address is refused.
    enum Flaw: Error, Equatable {
        case shape
        case port
        case network
        case socketPath
    }

    /// Returns nil for an address that `parse` refuses.
    static func address(_ text: String) -> ListenAddress? {
        try? parse(text).get()
    }

    static func parse(_ text: String) -> Result<ListenAddress, Flaw> {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            let fits = path.utf8.count <= longestSocketPath
            return path.hasPrefix("/") && fits ? .success(.unix(path: path)) : .failure(.socketPath)
        }
        guard let colon = text.lastIndex(of: ":") else { return .failure(.shape) }
        let digits = text[text.index(after: colon)...]
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]"), host.count > 2 {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { return .failure(.shape) }
        } else if host.isEmpty || host.contains(":") {
            return .failure(.shape)
        }
        guard isLoopback(host) else { return .failure(.network) }
        guard let port = StrictNumber.whole(String(digits)), (1...Int(UInt16.max)).contains(port) else {
            return .failure(.port)
        }
        return .success(.loopback(host: String(host), port: UInt16(port)))
    }

    /// The 108 bytes of `sockaddr_un.sun_path` without the terminating zero.
    static let longestSocketPath = 107

    private static func isLoopback(_ host: Substring) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "127" else { return false }
        return parts.allSatisfy { part in
            guard let number = StrictNumber.whole(String(part)) else { return false }
            return number <= 255
        }
    }
}

/// Parses and prints mode bits.
enum Permissions {
    /// Parses three or four octal digits, at most 0o777, that grant the owner read and write. Returns nil for anything
    /// else.
    static func bits(_ digits: String) -> UInt32? {
        guard digits.utf8.count == 3 || digits.utf8.count == 4,
            digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }),
            let bits = UInt32(digits, radix: 8), bits <= 0o777, bits & ownerReadsAndWrites == ownerReadsAndWrites
        else { return nil }
        return bits
    }

    /// Four octal digits.
    static func text(_ bits: UInt32) -> String {
        let digits = String(bits, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    /// The daemon opens the files it creates for reading and writing.
    private static let ownerReadsAndWrites: UInt32 = 0o600
}

/// Parses decimals of YAML 1.2, without the forms that YAML 1.1 reads differently.
enum StrictNumber {
    /// Parses digits with an optional minus and no leading zero. Returns nil for anything else and for values beyond
    /// `Int`.
    static func whole(_ text: String) -> Int? {
        isWhole(text) ? Int(text) : nil
    }

    /// Returns whether `whole` accepts the text, apart from its range.
    static func isWhole(_ text: String) -> Bool {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        return isDigits(digits) && (digits == "0" || !digits.hasPrefix("0"))
    }

    /// Parses a decimal with optional point and exponent. Returns nil for anything else and for values that aren't
    /// finite.
    static func decimal(_ text: String) -> Double? {
        var rest = text[...]
        if rest.hasPrefix("-") { rest = rest.dropFirst() }
        let mantissa = rest.prefix { $0 != "e" && $0 != "E" }
        rest = rest.dropFirst(mantissa.count)
        if !rest.isEmpty {
            var exponent = rest.dropFirst()
            if exponent.hasPrefix("-") || exponent.hasPrefix("+") { exponent = exponent.dropFirst() }
            guard isDigits(exponent) else { return nil }
        }
        let parts = mantissa.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, whole.isEmpty || isDigits(whole) else { return nil }
        guard whole == "0" || !whole.hasPrefix("0") else { return nil }
        let hasDecimals = parts.count == 2 && !parts[1].isEmpty
        if hasDecimals, !isDigits(parts[1]) { return nil }
        guard !whole.isEmpty || hasDecimals, let number = Double(text), number.isFinite else { return nil }
        return number
    }

    private static func isDigits(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
