import Diagnostics
import Glibc

/// The directory of one source's segments: `<sequence>.seg`, twenty digits, counted up and never used again.
struct SpoolDirectory: Sendable {
    private static let suffix = ".seg"
    private static let digits = 20
    /// How many bytes before an offset are hashed to know a segment again.
    private static let markBytes = 1024

    let path: String

    /// Makes the directory under `spool` if it is missing, for nobody else to read.
    ///
    /// Errors: `cannotCreate`, `noSpace`.
    init(under spool: String, source: String) throws(UnderstudyError) {
        path = spool + "/" + Self.fileName(for: source)
        for directory in [spool, path] where mkdir(directory, 0o700) != 0 && errno != EEXIST {
            let reason = errno
            throw UnderstudyError(
                .writing(reason, else: .cannotCreate),
                "the spool's directory can't be made: \(String(cString: strerror(reason)))", at: directory)
        }
    }

    func segmentPath(_ sequence: UInt64) -> String {
        let number = String(sequence)
        return path + "/" + String(repeating: "0", count: Self.digits - number.count) + number + Self.suffix
    }

    /// The segments that are there, oldest first.
    ///
    /// Errors: `missingInput` if the directory can't be read.
    func sequences() throws(UnderstudyError) -> [UInt64] {
        guard let directory = opendir(path) else {
            throw UnderstudyError(
                .missingInput, "the spool's directory can't be read: \(String(cString: strerror(errno)))", at: path)
        }
        defer { closedir(directory) }
        var found: [UInt64] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasSuffix(Self.suffix), name.utf8.count == Self.digits + Self.suffix.utf8.count,
                let sequence = UInt64(name.dropLast(Self.suffix.count))
            else { continue }
            found.append(sequence)
        }
        return found.sorted()
    }

    /// Makes a segment and opens it for reading and writing. A descriptor, or -1 with the reason in errno.
    func makeSegment(_ sequence: UInt64) -> Int32 {
        open(segmentPath(sequence), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    }

    /// Takes a segment away for good: a power cut doesn't bring it back.
    func removeSegment(_ sequence: UInt64) {
        unlink(segmentPath(sequence))
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        fsync(directory)
        close(directory)
    }

    /// XXH64 of up to 1024 bytes before `offset`; nil if they aren't all there.
    static func mark(_ descriptor: Int32, before offset: UInt64) -> UInt64? {
        let count = Int(min(offset, UInt64(markBytes)))
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: markBytes) { room in
            guard pread(descriptor, room.baseAddress, count, off_t(offset) - off_t(count)) == count else { return nil }
            return XXHash64.hash(UnsafeBufferPointer(rebasing: room[..<count]), seed: 0)
        }
    }

    /// Letters, digits, `-` and `_` stay; every other byte becomes `%` and two digits, so that different sources have
    /// different directories. A very long name ends in a hash of the whole.
    private static func fileName(for source: String) -> String {
        var name = ""
        for byte in source.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                name.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                name += (byte < 16 ? "%0" : "%") + String(byte, radix: 16)
            }
        }
        guard name.count > 200 else { return name }
        let hash = Array(source.utf8).withUnsafeBufferPointer { XXHash64.hash($0, seed: 0) }
        return name.prefix(180) + "%" + String(hash, radix: 16)
    }
}
