/// The bytes that tell whether what was read of a file is still there: the first 1,024 and the last 1,024 before an
/// offset, kept as they stream by.
///
/// Their hash is a checkpoint's `mark`: `XXH64(first + last, seed: time of the file's making)`. The seed tells a file
/// from a later one that was given the same inode and begins with the same bytes.
package struct FileMark: Sendable {
    package static let width = 1024

    package private(set) var offset: UInt64 = 0
    private var bytes: [UInt8] = []
    /// How many of `bytes` are the first ones; the rest are the last ones, and there are none while the file is short.
    private var headCount: Int { min(bytes.count, Self.width) }

    package init() {}

    /// A mark at `offset` of a file with these first bytes and, if it is longer than they are, these last ones before it.
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

    /// The file goes on with `block`.
    package mutating func append(_ block: UnsafeRawBufferPointer) {
        offset += UInt64(block.count)
        var rest = block
        let missing = Self.width - headCount
        if missing > 0 {
            bytes.append(contentsOf: rest.prefix(missing))
            guard rest.count > missing else { return }
            rest = UnsafeRawBufferPointer(rebasing: rest[missing...])
            // From here on the last bytes are kept on their own; so far they are the first ones.
            bytes.append(contentsOf: bytes)
        } else if bytes.count == Self.width, !rest.isEmpty {
            bytes.append(contentsOf: bytes)
        }
        let kept = rest.suffix(Self.width)
        bytes.removeSubrange(Self.width..<Self.width + kept.count)
        bytes.append(contentsOf: kept)
    }

    package func hash(born: Int64) -> UInt64 {
        // Of a short file the first bytes are the last ones as well.
        let all = bytes.count <= Self.width ? bytes + bytes : bytes
        return all.withUnsafeBufferPointer { XXHash64.hash($0, seed: UInt64(bitPattern: born)) }
    }

    /// Whether `mark` was made of these bytes. One made where the time of making wasn't known is taken as well.
    func matches(_ mark: UInt64, born: Int64) -> Bool {
        hash(born: born) == mark || hash(born: 0) == mark
    }
}

extension FileMark {
    /// The mark of a compressed file: of its first bytes as they are on the disk, and its size; nil if it is shorter.
    static func ofArchive(_ file: OpenFile, size: UInt64, born: Int64) throws(CannotTell) -> UInt64? {
        guard let head = try FileMark(file, upTo: min(size, UInt64(width))) else { return nil }
        return head.hash(born: born) ^ (size &* 0x9E37_79B1_85EB_CA87)
    }
}
