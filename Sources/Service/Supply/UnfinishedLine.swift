import Diagnostics
import Glibc
import Streams
import Synchronization

/// The incomplete last line of a stream at the stop of the daemon. Its rest comes in the next run; until then the start
/// is stored in a file of the state directory.
///
/// (Spooled sources don't need it: all their bytes are on disk.)
package enum UnfinishedLine {
    /// Stores `bytes` of the source for the next run.
    package static func keep(_ bytes: [UInt8], of source: String, in directory: String) throws(UnderstudyError) {
        let path = path(of: source, in: directory)
        mkdir(directory + "/unfinished", 0o750)
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard file >= 0 else { throw failure(path) }
        defer { close(file) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw failure(path) }
            rest = rest.dropFirst(written)
        }
        guard fsync(file) == 0 else { throw failure(path) }
    }

    /// Returns `source` with the stored start of its last line before its own bytes. The file is kept until the start
    /// has been read.
    package static func resume(
        _ source: any StreamSource, in directory: String, report: (UnderstudyError) -> Void
    ) -> any StreamSource {
        let path = path(of: source.name, in: directory)
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno != ENOENT { report(failure(path)) }
            return source
        }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= LineFramer.greatestMaximumLineBytes {
            let count = read(file, &piece, piece.count)
            guard count > 0 else { break }
            bytes.append(contentsOf: piece[..<count])
        }
        return bytes.isEmpty ? source : ContinuedSource(source, beginning: bytes, keptAt: path)
    }

    private static func path(of source: String, in directory: String) -> String {
        "\(directory)/unfinished/\(PathTemplate.component(source))"
    }

    private static func failure(_ path: String) -> UnderstudyError {
        let reason = errno
        return UnderstudyError(
            .writing(reason, else: .inputOutput),
            "the unfinished line of a source can't be saved: \(String(cString: strerror(reason)))", at: path)
    }
}

/// A stream whose first bytes were read by an earlier run.
private final class ContinuedSource: StreamSource {
    let name: String
    private let inner: any StreamSource
    private let beginning: Mutex<[UInt8]>
    private let path: String
    private let isOpened = Atomic(false)

    init(_ inner: any StreamSource, beginning: [UInt8], keptAt path: String) {
        self.path = path
        name = inner.name
        self.inner = inner
        self.beginning = Mutex(beginning)
    }

    func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> SourceEvent {
        if isOpened.load(ordering: .relaxed) {
            let count = beginning.withLock { bytes in
                let count = min(bytes.count, room.count)
                room.copyBytes(from: bytes[..<count])
                bytes.removeFirst(count)
                if count > 0, bytes.isEmpty { unlink(path) }
                return count
            }
            if count > 0 { return .bytes(count) }
        }
        let event = try inner.read(into: room)
        if case .opened = event { isOpened.store(true, ordering: .relaxed) }
        return event
    }

    func interrupt() { inner.interrupt() }
    func checkpoint(_ position: SourcePosition) throws(UnderstudyError) -> FileCheckpoint? {
        try inner.checkpoint(position)
    }
    func committed(_ position: SourcePosition) { inner.committed(position) }
    func takeForgotten() -> [FileIdentity] { inner.takeForgotten() }
}
