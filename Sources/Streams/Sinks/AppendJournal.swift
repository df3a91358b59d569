import Bytes
import Diagnostics
import Glibc
import Synchronization

/// Records which bytes each append to a file sink writes and where, so that a start after a kill can tell the daemon's
/// own uncommitted bytes from those of other programs.
///
/// A ring of records in one file of the state directory: device, inode, start, number of bytes and their XXH64. An
/// entry is written before its append. It isn't synced: the kernel keeps it when the process is killed. After a power
/// loss entries may be missing or may describe bytes that never reached the disk, so an entry is valid only if the
/// bytes in the file have its hash. Bytes that no entry proves are never cut.
public final class AppendJournal: Sendable {
    /// Bytes of one file that the daemon has appended.
    public struct Extent: Sendable, Equatable {
        public var device: UInt64
        public var inode: UInt64
        public var start: UInt64
        public var count: UInt64
        public var hash: UInt64

        public var end: UInt64 { start &+ count }
    }

    private static let fileName = "appends.journal"
    private static let entryBytes = 48
    /// A commit interval has some thousand appends. If an entry is overwritten too early, its bytes are set aside after
    /// a kill instead of cut.
    private static let capacity: UInt64 = 16384
    private static let seed: UInt64 = 0x5553_4A4F_5552_4E31

    /// The entries of the previous run.
    public let entries: [Extent]
    private let descriptor: Int32
    private let next = Atomic<UInt64>(0)

    deinit { close(descriptor) }

    /// Opens the journal in the state directory and reads the entries of the last run.
    ///
    /// Errors: `inputOutput`. The daemon can run without the journal, but then cuts nothing after a kill.
    public init(directory: String) throws(UnderstudyError) {
        let path = directory + "/" + Self.fileName
        let opened: Int32
        switch PatientCall.result({ open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o640) }) {
        case .success(let descriptor): opened = descriptor
        case .failure(let why): throw Self.failure(why.number, path)
        }
        var status = stat()
        guard fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(opened)
            throw UnderstudyError(
                .inputOutput, "the append journal must be a regular file; move the existing file away", at: path)
        }
        do throws(UnderstudyError) {
            entries = try Self.read(opened, path)
        } catch {
            close(opened)
            throw error
        }
        descriptor = opened
    }

    /// Removes the entries of the last run after recovery.
    public func reset() {
        // Stale entries do no harm: their hashes are compared with the file. If space can't be reserved now, each entry
        // allocates its own.
        _ = ftruncate(descriptor, 0)
        _ = posix_fallocate(descriptor, 0, off_t(Self.capacity) * off_t(Self.entryBytes))
        next.store(0, ordering: .relaxed)
    }

    /// Records an append before it is made. If the entry can't be written, its bytes are unverified.
    package func note(device: UInt64, inode: UInt64, start: UInt64, count: Int, hash: UInt64) {
        let slot = next.wrappingAdd(1, ordering: .relaxed).oldValue % Self.capacity
        let values = (device, inode, start, UInt64(count), hash)
        var entry = (values, UInt64(0))
        entry.1 = Self.check(values)
        withUnsafeBytes(of: entry) { bytes in
            _ = pwrite(descriptor, bytes.baseAddress, Self.entryBytes, off_t(slot) * off_t(Self.entryBytes))
        }
    }

    private static func check(_ values: (UInt64, UInt64, UInt64, UInt64, UInt64)) -> UInt64 {
        withUnsafeBytes(of: values) { XXHash64.hash($0.bindMemory(to: UInt8.self), seed: seed) }
    }

    private static func read(_ descriptor: Int32, _ path: String) throws(UnderstudyError) -> [Extent] {
        var bytes = [UInt8](repeating: 0, count: Int(capacity) * entryBytes)
        var done = 0
        reading: while done < bytes.count {
            let read = bytes.withUnsafeMutableBytes { room in
                PatientCall.result {
                    pread(descriptor, room.baseAddress.map { $0 + done }, room.count - done, off_t(done))
                }
            }
            switch read {
            case .success(let count):
                if count == 0 { break reading }
                done += count
            case .failure(let why): throw failure(why.number, path)
            }
        }
        return bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: done / entryBytes * entryBytes, by: entryBytes).compactMap { place in
                func word(_ index: Int) -> UInt64 {
                    bytes.loadUnaligned(fromByteOffset: place + 8 * index, as: UInt64.self)
                }
                let values = (word(0), word(1), word(2), word(3), word(4))
                guard values.3 > 0, check(values) == word(5) else { return nil }
                return Extent(device: values.0, inode: values.1, start: values.2, count: values.3, hash: values.4)
            }
        }
    }

    private static func failure(_ number: Int32, _ path: String) -> UnderstudyError {
        UnderstudyError(
            .inputOutput,
            "the append journal can't be used (\(String(cString: strerror(number)))); after a kill, output that wasn't "
                + "committed is set aside instead of cut off", at: path)
    }
}
