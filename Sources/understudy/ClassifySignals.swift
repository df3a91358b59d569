import Diagnostics
import Glibc
import Streams

/// SIGTERM and SIGINT end the reading, not the answering; they are taken by a thread that waits for them.
enum ClassifySignals {
    /// From now on the two signals wait for `stop`. Call it before anything starts a thread: threads inherit the mask.
    static func hold() {
        var set = stopping
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Interrupts `source` at the first such signal.
    static func stop(_ source: any ByteSource) throws(UnderstudyError) {
        try onStop { source.interrupt() }
    }

    /// Calls `first` at the first such signal; the second ends the process in the usual way, for whoever doesn't want to
    /// wait.
    static func onStop(_ first: @escaping @Sendable () -> Void) throws(UnderstudyError) {
        _ = try WorkerThread(name: "signals") {
            var set = stopping
            var number: Int32 = 0
            sigwait(&set, &number)
            first()
            sigwait(&set, &number)
            signal(number, SIG_DFL)
            pthread_sigmask(SIG_UNBLOCK, &set, nil)
            raise(number)
        }
    }

    private static var stopping: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        return set
    }
}
