import Bytes
import Diagnostics

/// SentencePiece's `precompiled_charsmap`: a double-array trie (Darts) from byte strings to offsets into a pool of
/// NUL-terminated replacements.
///
/// Format: 32-bit little-endian size of the trie in bytes, the trie's 32-bit units, then the pool. Applied as in
/// Hugging Face: a grapheme cluster of fewer than 6 bytes is replaced as a whole by the replacement of its shortest
/// prefix in the trie; otherwise each of its code points is looked up separately.
package struct PrecompiledCharacterMap: Sendable {
    private let units: [UInt32]
    private let pool: [UInt8]
    /// Maximum length of a replacement in bytes.
    let longestReplacement: Int

    /// Clusters of this many bytes or more are processed by code point.
    private static let wholeClusterLimit = 6

    init(base64: [UInt8], place: String) throws(UnderstudyError) {
        func broken(_ what: String) -> UnderstudyError {
            UnderstudyError(.invalidData, "precompiled_charsmap \(what)", at: place)
        }
        guard let blob = Self.decode(base64) else { throw broken("isn't valid base64") }
        guard blob.count >= 4 else { throw broken("is shorter than its header") }
        func word(_ at: Int) -> UInt32 {
            UInt32(blob[at]) | UInt32(blob[at + 1]) << 8 | UInt32(blob[at + 2]) << 16 | UInt32(blob[at + 3]) << 24
        }
        let size = Int(word(0))
        guard size % 4 == 0, size >= 4, size <= blob.count - 4 else {
            throw broken("says its trie has \(size) bytes, but \(blob.count - 4) follow")
        }
        units = (0..<size / 4).map { word(4 + 4 * $0) }
        pool = Array(blob[(4 + size)...])
        longestReplacement = pool.split(separator: 0).map(\.count).max() ?? 0
        guard UTF8Check.isValid(pool) else { throw broken("has replacements that aren't valid UTF-8") }
    }

    private static func decode(_ text: [UInt8]) -> [UInt8]? {
        let digits = text.last == UInt8(ascii: "=") ? text.prefix { $0 != UInt8(ascii: "=") } : text[...]
        guard text.count % 4 == 0, text.count - digits.count <= 2 else { return nil }
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for digit in digits {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = digit - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = digit - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }

    /// The replacement of the shortest prefix of `key` that the trie holds.
    private func replacement(of key: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int(unit >> 6 & 8) }
        var node = offset(units[0])
        for byte in key {
            if byte == 0 { return nil }
            node ^= Int(byte)
            guard node < units.count else { return nil }
            let unit = units[node]
            guard unit & 0x8000_00FF == UInt32(byte) else { return nil }
            node ^= offset(unit)
            if unit >> 8 & 1 == 1 {
                guard node < units.count else { return nil }
                let start = Int(units[node] & 0x7FFF_FFFF)
                // A hostile file may point into the middle of a code point.
                guard start < pool.count, pool[start] & 0xC0 != 0x80 else { return nil }
                return start..<(pool[start...].firstIndex(of: 0) ?? pool.count)
            }
        }
        return nil
    }

    /// Appends the normalised form of `source` to `text`; `false` if its first code point was removed.
    func append(_ source: UnsafeBufferPointer<UInt8>, to text: inout GrowableBuffer<UInt8>) -> Bool {
        guard let base = source.baseAddress else { return true }
        var start = 0
        var keepsFirst = true
        while start < source.count {
            let end = Self.clusterEnd(base, from: start, end: source.count)
            let cluster = UnsafeBufferPointer(rebasing: source[start..<end])
            let before = text.count
            if cluster.count >= Self.wholeClusterLimit || !append(replacementOf: cluster, to: &text) {
                var index = start
                while index < end {
                    let length = UTF8Code.decode(base, at: index, end: end).length
                    let part = UnsafeBufferPointer(rebasing: source[index..<index + length])
                    if !append(replacementOf: part, to: &text) { text.append(base + index, length) }
                    index += length
                }
            }
            if start == 0 { keepsFirst = text.count > before }
            start = end
        }
        return keepsFirst
    }

    private func append(
        replacementOf key: UnsafeBufferPointer<UInt8>, to text: inout GrowableBuffer<UInt8>
    ) -> Bool {
        guard let range = replacement(of: key) else { return false }
        pool.withUnsafeBufferPointer { all in
            if let base = all.baseAddress { text.append(base + range.lowerBound, range.count) }
        }
        return true
    }

    /// End of the extended grapheme cluster (Unicode Standard Annex 29) that starts at `start`.
    private static func clusterEnd(_ base: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int {
        var recognizer = Unicode._CharacterRecognizer()
        var index = start
        while index < end {
            let (scalar, length) = UTF8Code.decode(base, at: index, end: end)
            let breaks = recognizer.hasBreak(before: Unicode.Scalar(scalar) ?? "\u{FFFD}")
            if breaks, index > start { return index }
            index += length
        }
        return end
    }

    /// Code points that are always single clusters next to each other: letters and signs of the common scripts without
    /// marks, joiners, conjoining jamo and carriage return.
    static let standingAlone: [ClosedRange<UInt32>] = [
        0x20...0x7E, 0xA0...0xAC, 0xAE...0x2FF, 0x370...0x482, 0x48A...0x58F, 0x2010...0x2027, 0x2030...0x205E,
        0x2070...0x20CF, 0x2100...0x2CEE, 0x2E80...0x3029, 0x3030...0x3098, 0x309B...0xA48C, 0xAC00...0xD7A3,
        0xF900...0xFAFF, 0xFF01...0xFF9D, 0xFFE0...0xFFEE, 0x20000...0x3FFFD,
    ]

    /// Those of `standingAlone` that have a replacement.
    var replacedAlone: [ClosedRange<UInt32>] {
        Self.standingAlone.joined().filter { scalar in
            UTF8Code.encode(scalar).withUnsafeBufferPointer { replacement(of: $0) != nil }
        }.map { $0...$0 }
    }
}
