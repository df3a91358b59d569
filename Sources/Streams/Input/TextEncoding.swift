import Bytes
import Glibc

/// The encoding of a source's text. In UTF-8, GB18030 and Big5, the bytes LF, CR and NUL are never part of another
/// character, so lines are found in the undecoded bytes. In UTF-16 each is a pair of bytes: see `CodeUnit`.
public enum TextEncoding: String, Sendable, CaseIterable {
    case utf8 = "utf-8"
    /// GB 18030, a superset of GBK and GB 2312.
    case gb18030
    /// Big5 as Windows writes it (code page 950); codes that are unmapped or private-use there are decoded as Hong
    /// Kong's HKSCS.
    case big5
    /// In the byte order of each file's mark; little-endian without one, as Windows writes.
    case utf16 = "utf-16"
    /// Little-endian where a file has no mark.
    case utf16LittleEndian = "utf-16le"
    /// Big-endian where a file has no mark.
    case utf16BigEndian = "utf-16be"

    public var isUTF16: Bool {
        switch self {
        case .utf8, .gb18030, .big5: false
        case .utf16, .utf16LittleEndian, .utf16BigEndian: true
        }
    }

    /// The code unit of a file that begins with `start`.
    public func unit(of start: some Collection<UInt8>) -> CodeUnit {
        guard isUTF16 else { return .byte }
        return CodeUnit(mark: start) ?? (self == .utf16BigEndian ? .bigEndian : .littleEndian)
    }
}

/// The code unit of text: single bytes, or pairs of bytes that begin at even offsets of their file (UTF-16).
public enum CodeUnit: Sendable, Equatable {
    /// As in UTF-8, GB18030 and Big5.
    case byte
    case littleEndian, bigEndian

    /// The code unit that the UTF-16 byte order mark in `start`, the first bytes of a file, implies; nil without a
    /// mark.
    public init?(mark start: some Collection<UInt8>) {
        if start.starts(with: [0xFF, 0xFE]) {
            self = .littleEndian
        } else if start.starts(with: [0xFE, 0xFF]) {
            self = .bigEndian
        } else {
            return nil
        }
    }

    public var width: Int { self == .byte ? 1 : 2 }

    /// Whether two bytes are the ASCII character `code`.
    @inline(__always)
    func isPair(_ first: UInt8, _ second: UInt8, _ code: UInt8) -> Bool {
        self == .littleEndian ? first == code && second == 0 : first == 0 && second == code
    }

    /// Two bytes as a number.
    @inline(__always)
    func value(_ first: UInt8, _ second: UInt8) -> UInt16 {
        self == .littleEndian ? UInt16(second) << 8 | UInt16(first) : UInt16(first) << 8 | UInt16(second)
    }

    /// The position of the first LF in `base[place..<end]`; nil if there is none. For pairs only.
    ///
    /// `lowest`: no byte before it is read. `isOdd`: whether `base` is at an odd offset of its file.
    func pairedLineFeed(
        _ base: UnsafePointer<UInt8>, from place: Int, lowest: Int, to end: Int, isOdd: Bool
    ) -> Int? {
        var place = place
        while place < end, let found = memchr(base + place, 0x0A, end - place) {
            let found = UnsafeRawPointer(found) - UnsafeRawPointer(base)
            let start = self == .littleEndian ? found : found - 1
            let isAligned = (start & 1 != 0) == isOdd
            if isAligned, start >= lowest, start + 1 < end, isPair(base[start], base[start + 1], 0x0A) { return start }
            place = found + 1
        }
        return nil
    }
}

/// Converts lines of UTF-16 to UTF-8.
enum UTF16Text {
    /// Writes the converted line to `text`. Returns nil on success, otherwise the flaw at the first byte that can't be
    /// decoded: an unpaired surrogate, half a code unit (RFC 2781), or U+0000.
    ///
    /// `isOdd`: the line begins within a code unit, because the file before it ended within one.
    static func convert(
        _ line: UnsafeBufferPointer<UInt8>, _ unit: CodeUnit, isOdd: Bool, _ encoding: TextEncoding,
        into text: ByteBuffer
    ) -> LineFlaw? {
        text.removeAll()
        guard let bytes = line.baseAddress, line.count > 0 else { return nil }
        if isOdd { return .notInEncoding(at: 1, encoding) }
        // At most three bytes for each unit; a surrogate pair takes four.
        let start = text.reserve(line.count / 2 * 3)
        var output = start
        var place = 0
        while place + 1 < line.count {
            let code = unit.value(bytes[place], bytes[place + 1])
            switch code {
            case 0: return .containsNUL(at: place + 1)
            case ..<0x80:
                output[0] = UInt8(code)
                output += 1
            case ..<0x800:
                output[0] = 0xC0 | UInt8(code >> 6)
                output[1] = 0x80 | UInt8(code & 0x3F)
                output += 2
            case 0xD800..<0xDC00:
                guard place + 3 < line.count else { return .notInEncoding(at: place + 1, encoding) }
                let low = unit.value(bytes[place + 2], bytes[place + 3])
                guard low >= 0xDC00, low < 0xE000 else { return .notInEncoding(at: place + 1, encoding) }
                let scalar = 0x1_0000 + (UInt32(code - 0xD800) << 10 | UInt32(low - 0xDC00))
                output[0] = 0xF0 | UInt8(scalar >> 18)
                output[1] = 0x80 | UInt8(scalar >> 12 & 0x3F)
                output[2] = 0x80 | UInt8(scalar >> 6 & 0x3F)
                output[3] = 0x80 | UInt8(scalar & 0x3F)
                output += 4
                place += 2
            case 0xDC00..<0xE000: return .notInEncoding(at: place + 1, encoding)
            default:
                output[0] = 0xE0 | UInt8(code >> 12)
                output[1] = 0x80 | UInt8(code >> 6 & 0x3F)
                output[2] = 0x80 | UInt8(code & 0x3F)
                output += 3
            }
            place += 2
        }
        if place < line.count { return .notInEncoding(at: place + 1, encoding) }
        text.advance(output - start)
        return nil
    }
}
