import Diagnostics
import Streams
import Synchronization

/// A byte stream as a lane's source: one origin from its beginning to its end.
final class FilterSource: StreamSource {
    let name: String
    private let bytes: any ByteSource
    private let hasBegun = Atomic(false)
    private let closed = Atomic(false)

    init(_ bytes: any ByteSource, name: String) {
        self.bytes = bytes
        self.name = name
    }

    /// Whether reading ended because nobody takes the output.
    var outputWasClosed: Bool { closed.load(ordering: .relaxed) }

    func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> SourceEvent {
        if !hasBegun.exchange(true, ordering: .relaxed) {
            return .opened(SourceOrigin(source: name, path: name, file: nil))
        }
        switch try bytes.read(into: room) {
        case .bytes(let count): return .bytes(count)
        case .end: return .end
        case .stopped: return .stopped
        case .outputClosed:
            closed.store(true, ordering: .relaxed)
            return .stopped
        }
    }

    func interrupt() { bytes.interrupt() }
}
