import Diagnostics
import Glibc
import Streams
import Synchronization

/// SIGTERM and SIGINT end the reading, not the answering; they are taken by a thread that waits for them.
enum ClassifySignals {
    /// The number of the first such signal; 0 while there was none.
    private static let first = Atomic<Int32>(0)

    /// From now on the two signals wait for `onStop`. Call it before anything starts a thread: threads inherit the mask.
    static func hold() {
        var set = stopping
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Calls `first` with the first such signal; the second ends the process at once, in the usual way.
    static func onStop(_ first: @escaping @Sendable (_ number: Int32) -> Void) throws(UnderstudyError) {
        _ = try WorkerThread(name: "signals") {
            var set = stopping
            var number: Int32 = 0
            sigwait(&set, &number)
            Self.first.store(number, ordering: .sequentiallyConsistent)
            first(number)
            sigwait(&set, &number)
            die(of: number)
        }
    }

    /// Calls `first` at the first such signal, whichever it is.
    static func onStop(_ first: @escaping @Sendable () -> Void) throws(UnderstudyError) {
        try onStop { _ in first() }
    }

    /// Ends the process as one that dies of the signal that it was sent, if it was sent one: a shell sees the status
    /// 130 or 143, and a script or a loop that was interrupted stops, which an exit status of 130 alone doesn't do.
    static func dieIfStopped() {
        let number = first.load(ordering: .sequentiallyConsistent)
        if number != 0 { die(of: number) }
    }

    private static func die(of number: Int32) {
        signal(number, SIG_DFL)
        var set = stopping
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        raise(number)
    }

    private static var stopping: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        return set
    }
}
