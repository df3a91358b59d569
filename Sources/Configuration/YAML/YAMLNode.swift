/// A value of the file with its position.
struct YAMLNode: Sendable {
    enum Content: Sendable {
        /// `isPlain`: written without quotes, so that it may resolve to a number, flag or null.
        case scalar(String, isPlain: Bool)
        case list([YAMLNode])
        case mapping([Entry])
        /// An unsupported construct, reported while the tree was built.
        case refused
    }

    struct Entry: Sendable {
        /// Always a scalar.
        let key: YAMLNode
        let name: String
        let value: YAMLNode
    }

    var content: Content
    var span: SourceSpan
}

extension YAMLNode {
    /// The type of a scalar in YAML 1.2's core schema.
    enum Resolution: Equatable {
        case null
        case flag(Bool)
        /// An integer or decimal in any notation of YAML.
        case number
        case text
    }

    /// nil for lists, mappings and refused values.
    var resolution: Resolution? {
        guard case .scalar(let text, let isPlain) = content else { return nil }
        guard isPlain else { return .text }
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .flag(true)
        case "false", "False", "FALSE": return .flag(false)
        default: return Self.isNumber(text) ? .number : .text
        }
    }

    /// Whether the value is empty or null.
    var isNull: Bool { resolution == .null }

    /// The kind of the value in messages: `a list`.
    var description: String {
        switch content {
        case .list: "a list"
        case .mapping: "a mapping"
        case .refused: "something else"
        case .scalar:
            switch resolution {
            case .null: "nothing"
            case .flag: "a flag"
            case .number: "a number"
            default: "text"
            }
        }
    }

    /// Returns whether a plain scalar is a number in the core schema (YAML 1.2.2, section 10.3.2).
    private static func isNumber(_ text: String) -> Bool {
        let unsigned = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        if [".inf", ".Inf", ".INF"].contains(unsigned) || [".nan", ".NaN", ".NAN"].contains(text) { return true }
        if text.hasPrefix("0x") {
            return text.utf8.count > 2 && text.dropFirst(2).allSatisfy { $0.isASCII && $0.isHexDigit }
        }
        if text.hasPrefix("0o") {
            return text.utf8.count > 2 && text.dropFirst(2).allSatisfy { ("0"..."7").contains($0) }
        }
        let mantissa = unsigned.prefix { $0 != "e" && $0 != "E" }
        let exponent = unsigned.dropFirst(mantissa.count).dropFirst()
        if mantissa.count < unsigned.count {
            let digits = exponent.hasPrefix("-") || exponent.hasPrefix("+") ? exponent.dropFirst() : exponent
            guard isDigits(digits) else { return false }
        }
        let parts = mantissa.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.contains(where: { !$0.isEmpty }) else { return false }
        return parts.allSatisfy { $0.isEmpty || isDigits($0) }
    }

    private static func isDigits(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}

/// A position as libyaml counts: in characters (Unicode scalars), from 0.
struct SourceMark: Sendable, Equatable, Comparable {
    var line: Int
    var column: Int

    static func < (left: SourceMark, right: SourceMark) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A range of positions; the end is exclusive.
struct SourceSpan: Sendable, Equatable {
    var start: SourceMark
    var end: SourceMark

    /// The start of the file; also used for values that aren't in the file.
    static let none = SourceSpan(start: SourceMark(line: 0, column: 0), end: SourceMark(line: 0, column: 0))
}
