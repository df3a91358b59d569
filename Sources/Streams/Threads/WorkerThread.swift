import Diagnostics
import Glibc

/// A system thread that runs one closure and can be waited for.
public final class WorkerThread: Sendable {
    private let handle: pthread_t

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a thread at once. `name` is the name in `top -H` and `perf`; the kernel keeps its first 15 bytes.
    public init(name: String, _ body: @escaping @Sendable () -> Void) throws(UnderstudyError) {
        let (status, thread) = Self.start(Start(String(name.prefix(15)), body))
        guard status == 0 else {
            throw UnderstudyError(
                .tryAgain, "can't start a thread (\(String(cString: strerror(status)))); use fewer threads")
        }
        handle = thread
    }

    private static func start(_ start: Start) -> (status: Int32, thread: pthread_t) {
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(start)
        let status = pthread_create(&thread, nil, run, retained.toOpaque())
        if status != 0 { retained.release() }
        return (status, thread)
    }

    private static let run: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        guard let argument else { return nil }
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        WorkerThread.nameThisThread(start.name)
        start.body()
        return nil
    }

    /// Waits until the closure has returned. Call it once.
    public func join() {
        pthread_join(handle, nil)
    }

    /// Names the thread for diagnostic tools. A failure is harmless.
    private static func nameThisThread(_ name: String) {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, name, name.utf8.count)
        close(file)
    }
}
