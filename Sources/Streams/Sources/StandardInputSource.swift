import Diagnostics
import Glibc

/// Standard input as a daemon's source: one stream, which ends when its writers have closed it.
///
/// `@unchecked Sendable`: `isOpened` is used by the one thread that reads; the rest never changes.
public final class StandardInputSource: PipeSource, @unchecked Sendable {
    public let name: String
    private let origin: SourceOrigin
    private let descriptor: Int32
    private let source: DescriptorSource
    private var isOpened = false

    /// `descriptor` stays open.
    public init(name: String, descriptor: Int32 = 0) throws(UnderstudyError) {
        self.name = name
        self.descriptor = descriptor
        origin = .stream(source: name, path: "standard input")
        source = try DescriptorSource(descriptor: descriptor, name: "standard input")
        NamedPipe.enlarge(descriptor)
    }

    public func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> SourceEvent {
        guard isOpened else {
            isOpened = true
            return .opened(origin)
        }
        switch try source.read(into: room) {
        case .bytes(let count): return .bytes(count)
        case .end, .outputClosed: return .end
        case .stopped: return .stopped
        }
    }

    var isPipe: Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
    }

    func take(_ move: (Int32) -> PipeMove) throws(UnderstudyError) -> PipeEvent {
        while true {
            if let outcome = try source.wait() { return outcome == .stopped ? .stopped : .end }
            switch move(descriptor) {
            case .bytes(let count, _): return .bytes(count)
            case .ended: return .end
            case .again: continue
            case .failed: return .failed
            }
        }
    }

    public func interrupt() { source.interrupt() }
}
