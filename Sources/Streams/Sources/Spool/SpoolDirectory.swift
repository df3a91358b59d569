import Diagnostics
import Glibc

/// The directory of one source's segments: `<sequence>.seg`, twenty digits, counted up and never used again.
struct SpoolDirectory: Sendable {
    private static let suffix = ".seg"
    private static let digits = 20
    /// A file with a greater number isn't a segment: no spool has so many, and the number after it must be possible.
    static let greatestSequence = UInt64(Int64.max)
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
        while true {
            // The end and an error both give NULL: only errno tells them apart (readdir(3)).
            errno = 0
            guard let entry = readdir(directory) else {
                guard errno == 0 else {
                    throw UnderstudyError(
                        .missingInput, "the spool's directory can't be read: \(String(cString: strerror(errno)))",
                        at: path)
                }
                break
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasSuffix(Self.suffix), name.utf8.count == Self.digits + Self.suffix.utf8.count,
                name.utf8.prefix(Self.digits).allSatisfy({ 0x30...0x39 ~= $0 }),
                let sequence = UInt64(name.dropLast(Self.suffix.count)), sequence <= Self.greatestSequence
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
    static func mark(_ descriptor: Int32, before offset: UInt64) throws(CannotTell) -> UInt64? {
        let count = Int(min(offset, UInt64(markBytes)))
        var bytes = [UInt8](repeating: 0, count: count)
        guard try read(descriptor, &bytes, at: offset - UInt64(count)) == count else { return nil }
        return bytes.withUnsafeBufferPointer { XXHash64.hash($0, seed: 0) }
    }

    /// Fills `bytes` as far as the file goes; how many. An error that passes within a moment isn't one.
    static func read(_ descriptor: Int32, _ bytes: inout [UInt8], at offset: UInt64) throws(CannotTell) -> Int {
        var filled = 0
        var failures = 0
        while filled < bytes.count {
            let start = filled
            let count = bytes.withUnsafeMutableBytes { room in
                pread(descriptor, room.baseAddress.map { $0 + start }, room.count - start, off_t(offset) + off_t(start))
            }
            if count == 0 { break }
            if count > 0 {
                filled += count
                continue
            }
            let why = CannotTell(number: errno)
            failures += 1
            guard why.number == EINTR || failures < mostFailures else { throw why }
            usleep(retryMicroseconds)
        }
        return filled
    }

    /// How often a call on a segment may fail before that is an error, and the pause between two tries.
    static let mostFailures = 8
    static let retryMicroseconds: UInt32 = 20_000

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
