import Bytes
import CFiles
import Diagnostics
import Glibc

/// The directory of one source's segments: `<sequence>.seg`, twenty digits, ascending and never reused.
struct SpoolDirectory: Sendable {
    private static let suffix = ".seg"
    private static let digits = 20
    /// A file with a greater number isn't a segment: no spool has that many, and the next number must be valid too.
    static let greatestSequence = UInt64(Int64.max)
    /// How many bytes before an offset are hashed to identify a segment.
    private static let markBytes = 1024

    let path: String

    /// Creates the directory under `spool` if it is missing, accessible only to the owner.
    ///
    /// Errors: `cannotCreate`, `noSpace`.
    init(under spool: String, source: String) throws(UnderstudyError) {
        path = spool + "/" + Self.fileName(for: source)
        for directory in [spool, path] where mkdir(directory, 0o700) != 0 && errno != EEXIST {
            let reason = errno
            throw UnderstudyError(
                .writing(reason, else: .cannotCreate),
                "the spool's directory can't be created: \(String(cString: strerror(reason)))", at: directory)
        }
    }

    func segmentPath(_ sequence: UInt64) -> String {
        let number = String(sequence)
        return path + "/" + String(repeating: "0", count: Self.digits - number.count) + number + Self.suffix
    }

    /// The existing segments, oldest first.
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
            // readdir(3) returns NULL both at the end and on error: only errno tells them apart.
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

    /// Creates a segment and opens it for reading and writing. Returns a descriptor, or -1 with errno.
    func makeSegment(_ sequence: UInt64) -> Int32 {
        open(segmentPath(sequence), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    }

    /// Removes a segment durably: a power loss doesn't restore it.
    func removeSegment(_ sequence: UInt64) {
        unlink(segmentPath(sequence))
        _ = DirectorySync.number(path)
    }

    /// XXH64 of up to 1024 bytes before `offset`; nil if they don't all exist.
    static func mark(_ descriptor: Int32, before offset: UInt64) throws(CannotTell) -> UInt64? {
        let count = min(offset, UInt64(markBytes))
        guard let bytes = try read(descriptor, at: offset - count, count: Int(count)) else { return nil }
        return bytes.withUnsafeBufferPointer { XXHash64.hash($0, seed: 0) }
    }

    /// nil if the bytes don't all exist. Retries errors that pass within a moment.
    static func read(_ descriptor: Int32, at offset: UInt64, count: Int) throws(CannotTell) -> [UInt8]? {
        if let bytes = DescriptorBytes.read(descriptor, at: offset, count: count) { return bytes }
        let number = errno
        guard number == 0 else { throw CannotTell(number: number) }
        return nil
    }

    /// Keeps letters, digits, `-` and `_`; every other byte becomes `%` and two digits, so that different sources have
    /// different directories. A very long name ends in a hash of the whole name.
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

/// State that the spool's thread, the lane's reader and the committer share, under one monitor.
struct SpoolState: Sendable {
    struct Segment: Sendable {
        var sequence: UInt64
        /// Bytes that are in the file and available to the reader.
        var length: UInt64
        /// Whether no more bytes are appended to it.
        var isSealed: Bool
    }

    /// The inner source's last state.
    enum Inner: Sendable {
        case running
        case ended
        case failed(UnderstudyError)
    }

    /// Oldest first; bytes are appended to the last one.
    var segments: [Segment]
    var inner = Inner.running
    var isInterrupted = false
    /// Deleted segments whose checkpoints may be removed.
    var forgotten: [FileIdentity]

    var bytes: UInt64 { segments.reduce(0) { $0 + $1.length } }

    static func identity(_ sequence: UInt64) -> FileIdentity {
        FileIdentity(device: 0, inode: sequence, generation: 0)
    }
}

/// The calls by which a spool allocates space; tests replace them to simulate a full disk.
package struct SpoolDisk: Sendable {
    /// Writes to a descriptor at an offset. Returns the number of bytes, or -1 with errno.
    package var write: @Sendable (Int32, UnsafeRawBufferPointer, UInt64) -> Int
    /// Moves up to the given number of bytes from a pipe into a descriptor at an offset. Returns as `write`, 0 at the
    /// pipe's end.
    package var move: @Sendable (Int32, Int32, UInt64, Int) -> Int
    /// Allocates space in a descriptor, from an offset on, before it is needed. Returns 0 or -1.
    package var reserve: @Sendable (Int32, UInt64, UInt64) -> Int32

    package init(
        write: @escaping @Sendable (Int32, UnsafeRawBufferPointer, UInt64) -> Int = {
            pwrite($0, $1.baseAddress, $1.count, off_t($2))
        },
        move: @escaping @Sendable (Int32, Int32, UInt64, Int) -> Int = {
            understudy_splice($0, $1, Int64($2), $3)
        },
        reserve: @escaping @Sendable (Int32, UInt64, UInt64) -> Int32 = {
            understudy_reserve($0, Int64($1), Int64($2))
        }
    ) {
        self.write = write
        self.move = move
        self.reserve = reserve
    }
}
