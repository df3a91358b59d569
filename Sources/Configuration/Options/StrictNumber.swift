/// Numbers as YAML 1.2 writes decimals, without the forms that YAML 1.1 reads otherwise.
enum StrictNumber {
    /// Digits alone, with a minus at most; no leading zero. nil for anything else and beyond `Int`.
    static func whole(_ text: String) -> Int? {
        isWhole(text) ? Int(text) : nil
    }

    /// The same without a bound.
    static func isWhole(_ text: String) -> Bool {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        return isDigits(digits) && (digits == "0" || !digits.hasPrefix("0"))
    }

    /// A decimal with or without point and exponent; nil for anything else and for what isn't finite.
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
