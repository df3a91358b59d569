import Diagnostics
import Glibc
import Streams

/// SIGTERM and SIGINT drain, SIGHUP reloads. They are taken by a thread that waits for them, so that nothing runs inside
/// a signal handler.
enum DaemonSignals {
    /// From now on the signals wait for `run`. Before anything starts a thread: threads inherit the mask.
    static func hold() {
        var set = handled
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        // A file that may not grow is an error to report, not a death.
        signal(SIGXFSZ, SIG_IGN)
    }

    /// Starts the thread. A second SIGTERM or SIGINT ends the process at once, for whoever doesn't want to wait.
    static func run(_ control: DaemonControl) throws(UnderstudyError) {
        _ = try WorkerThread(name: "signals") {
            var set = handled
            var stops = 0
            while true {
                var number: Int32 = 0
                guard sigwait(&set, &number) == 0 else { continue }
                if number == SIGHUP {
                    control.reload()
                    continue
                }
                stops += 1
                if stops == 1 {
                    control.stop()
                } else {
                    signal(number, SIG_DFL)
                    pthread_sigmask(SIG_UNBLOCK, &set, nil)
                    raise(number)
                }
            }
        }
    }

    private static var handled: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
        return set
    }
}
