import Glibc

/// What text is made of: single bytes, or pairs of them, which begin at even offsets of their file (UTF-16).
public enum CodeUnit: Sendable, Equatable {
    /// As in UTF-8, GB18030 and Big5.
    case byte
    case littleEndian, bigEndian

    /// By the byte order mark of UTF-16 that `start`, the first bytes of a file, holds; nil if there is none.
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

    /// The number of two bytes.
    @inline(__always)
    func value(_ first: UInt8, _ second: UInt8) -> UInt16 {
        self == .littleEndian ? UInt16(second) << 8 | UInt16(first) : UInt16(first) << 8 | UInt16(second)
    }

    /// Where the first LF begins in `base[place..<end]`; nil if there is none. Of pairs only.
    ///
    /// `lowest`: nothing before it is looked at. `isOdd`: whether `base` is at an odd offset of its file.
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
