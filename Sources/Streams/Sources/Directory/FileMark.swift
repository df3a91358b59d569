import Bytes

/// The bytes that show whether the content that was read of a file is unchanged: the first 1,024 and the last 1,024
/// before an offset, collected while reading.
///
/// Their hash is a checkpoint's `mark`: `XXH64(first + last, seed: creation time of the file)`. The seed distinguishes
/// a file from a later one that reuses the inode and begins with the same bytes.
package struct FileMark: Sendable {
    package static let width = 1024

    package private(set) var offset: UInt64 = 0
    private var bytes: [UInt8] = []
    /// How many of `bytes` are the first ones; the rest are the last ones, of which a short file has none.
    private var headCount: Int { min(bytes.count, Self.width) }

    package init() {}

    /// The mark at `offset` of a file with these first bytes and, if the file is longer, these last bytes before
    /// `offset`.
    init(offset: UInt64, head: [UInt8], tail: [UInt8]) {
        self.offset = offset
        bytes = offset > UInt64(Self.width) ? head + tail : head
    }

    /// Reads the bytes around `offset`; nil if the file is shorter.
    package init?(_ file: OpenFile, upTo offset: UInt64) throws(CannotTell) {
        self.offset = offset
        let span = Int(min(offset, UInt64(Self.width)))
        let count = offset <= UInt64(Self.width) ? span : 2 * span
        bytes = [UInt8](repeating: 0, count: count)
        var failure: CannotTell?
        let isWhole = bytes.withUnsafeMutableBytes { bytes in
            let head = UnsafeMutableRawBufferPointer(rebasing: bytes[..<span])
            let tail = UnsafeMutableRawBufferPointer(rebasing: bytes[span...])
            do throws(CannotTell) {
                guard try file.fill(head, at: 0) == span else { return false }
                return try file.fill(tail, at: offset - UInt64(tail.count)) == tail.count
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
        guard isWhole else { return nil }
    }

    /// Adds `block`, the file's next bytes.
    package mutating func append(_ block: UnsafeRawBufferPointer) {
        offset += UInt64(block.count)
        var rest = block
        let missing = Self.width - headCount
        if missing > 0 {
            bytes.append(contentsOf: rest.prefix(missing))
            guard rest.count > missing else { return }
            rest = UnsafeRawBufferPointer(rebasing: rest[missing...])
            // From here on the last bytes are kept separately; so far they equal the first ones.
            bytes.append(contentsOf: bytes)
        } else if bytes.count == Self.width, !rest.isEmpty {
            bytes.append(contentsOf: bytes)
        }
        let kept = rest.suffix(Self.width)
        bytes.removeSubrange(Self.width..<Self.width + kept.count)
        bytes.append(contentsOf: kept)
    }

    package func hash(born: Int64) -> UInt64 {
        // In a short file the first bytes are the last ones as well.
        let all = bytes.count <= Self.width ? bytes + bytes : bytes
        return all.withUnsafeBufferPointer { XXHash64.hash($0, seed: UInt64(bitPattern: born)) }
    }

    /// Whether `mark` was made of these bytes. A mark made without a known creation time is accepted too.
    func matches(_ mark: UInt64, born: Int64) -> Bool {
        hash(born: born) == mark || hash(born: 0) == mark
    }
}

extension FileMark {
    /// The mark of a compressed file: of its first bytes on the disk and its size; nil if it is shorter.
    static func ofArchive(_ file: OpenFile, size: UInt64, born: Int64) throws(CannotTell) -> UInt64? {
        guard let head = try FileMark(file, upTo: min(size, UInt64(width))) else { return nil }
        return head.hash(born: born) ^ (size &* 0x9E37_79B1_85EB_CA87)
    }
}
