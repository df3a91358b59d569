import Diagnostics

/// What a Replace normalizer looks for: fixed text, or one character class with a repeat count.
///
/// Of regular expressions, the kinds that tokenizer files use are understood: literal characters, `[…]` with ranges and
/// negation, `\s`, escapes (`\n`, `\t`, `\x41`, `\x{…}`, `\u0041`) and, after a single element, `+`, `{n}`, `{n,}`,
/// `{n,m}`. Anything else is refused by name.
package enum ReplacePattern: Sendable {
    case text([UInt8])
    case repeated(ScalarClass, minimum: Int, maximum: Int)

    init(text: [UInt8], place: String) throws(UnderstudyError) {
        guard !text.isEmpty else {
            throw UnderstudyError(.invalidData, "a Replace normalizer has an empty pattern", at: place)
        }
        self = .text(text)
    }

    init(regularExpression source: [UInt8], place: String) throws(UnderstudyError) {
        guard let pattern = RegularExpressionReader.read(UTF8Code.scalars(source)) else {
            let shown = String(decoding: source, as: UTF8.self)
            throw UnderstudyError(
                .invalidData,
                "the regular expression '\(shown)' of a Replace normalizer isn't supported; supported are fixed text "
                    + "and one character class with +, {n}, {n,} or {n,m}", at: place)
        }
        self = pattern
    }

    /// End of the match at `index`, or nil.
    @inline(__always)
    func match(_ bytes: UnsafePointer<UInt8>, at index: Int, end: Int) -> Int? {
        switch self {
        case .text(let text):
            guard end - index >= text.count else { return nil }
            for offset in 0..<text.count where bytes[index + offset] != text[offset] { return nil }
            return index + text.count
        case .repeated(let members, let minimum, let maximum):
            var position = index
            var count = 0
            while position < end, count < maximum {
                let (scalar, length) = UTF8Code.decode(bytes, at: position, end: end)
                guard members.contains(scalar) else { break }
                position += length
                count += 1
            }
            return count >= minimum ? position : nil
        }
    }

    /// The next place where a match may begin, when none does at `index`: behind a run that is too short for one, so that
    /// a long line takes no longer than its length.
    func passed(_ bytes: UnsafePointer<UInt8>, at index: Int, end: Int) -> Int {
        let first = UTF8Code.decode(bytes, at: index, end: end)
        var position = index + first.length
        guard case .repeated(let members, _, _) = self, members.contains(first.scalar) else { return position }
        while position < end {
            let (scalar, length) = UTF8Code.decode(bytes, at: position, end: end)
            guard members.contains(scalar) else { break }
            position += length
        }
        return position
    }

    /// Code points at which a match may begin or go on.
    var members: [ClosedRange<UInt32>] {
        switch self {
        case .text(let text): UTF8Code.scalars(text).map { $0...$0 }
        case .repeated(let members, _, _): members.resolved
        }
    }

    /// Whether each code point matches or not by itself, whatever stands beside it.
    var isSingle: Bool {
        switch self {
        case .text(let text): UTF8Code.scalars(text).count == 1
        case .repeated(_, let minimum, let maximum): minimum == 1 && maximum == 1
        }
    }
}
