import CFiles
import Diagnostics
import Glibc

/// A thread that receives signals instead of a signal handler, so that the handling code may take locks (signalfd(2)).
public final class SignalThread: Sendable {
    private let wake: Wake
    private let thread: WorkerThread

    /// Blocks the signals for the calling thread and for all threads that it starts later: they stay pending until a
    /// `SignalThread` receives them.
    public static func block(_ signals: [Int32]) {
        var set = set(of: signals)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Starts the thread, which calls `received` with the number of each signal that arrives. The signals must have
    /// been blocked with `block` before the process started its first thread.
    ///
    /// Errors: `tryAgain`.
    public init(_ signals: [Int32], received: @escaping @Sendable (Int32) -> Void) throws(UnderstudyError) {
        let wake = try Wake()
        var set = Self.set(of: signals)
        let descriptor = signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        guard descriptor >= 0 else {
            throw UnderstudyError(.tryAgain, "can't create a signalfd: \(String(cString: strerror(errno)))")
        }
        do throws(UnderstudyError) {
            thread = try WorkerThread(name: "signals") {
                Self.run(descriptor, wake, received)
                close(descriptor)
            }
        } catch {
            close(descriptor)
            throw error
        }
        self.wake = wake
    }

    /// Ends the thread and waits for its end; signals that arrive later stay pending. Call it once, from another thread.
    public func stop() {
        wake.signal()
        thread.join()
    }

    /// Ends the process with the signal's default action.
    public static func endProcess(by signal: Int32) {
        var set = set(of: [signal])
        Glibc.signal(signal, SIG_DFL)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        raise(signal)
    }

    private static func run(_ descriptor: Int32, _ wake: Wake, _ received: (Int32) -> Void) {
        while wake.wait(for: POLLIN, on: descriptor, milliseconds: -1) != .raised {
            var information = signalfd_siginfo()
            let size = MemoryLayout<signalfd_siginfo>.size
            while read(descriptor, &information, size) == size { received(Int32(information.ssi_signo)) }
        }
    }

    private static func set(of signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        return set
    }
}
