import Diagnostics

/// Standard input as a daemon's source: one stream, which ends when its writers have closed it.
///
/// `@unchecked Sendable`: `isOpened` is used by the one thread that reads; the rest never changes.
public final class StandardInputSource: StreamSource, @unchecked Sendable {
    public let name: String
    private let origin: SourceOrigin
    private let source: DescriptorSource
    private var isOpened = false

    /// `descriptor` stays open.
    public init(name: String, descriptor: Int32 = 0) throws(UnderstudyError) {
        self.name = name
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

    public func interrupt() { source.interrupt() }
}
