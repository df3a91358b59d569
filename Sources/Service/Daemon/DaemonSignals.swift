import Diagnostics
import Glibc
import Streams
import Synchronization

/// SIGTERM and SIGINT drain, SIGHUP reloads.
enum DaemonSignals {
    private static let handled = [SIGTERM, SIGINT, SIGHUP]

    /// From now on the signals wait for `run`. Before anything starts a thread: threads inherit the mask.
    static func hold() {
        SignalThread.block(handled)
        signal(SIGPIPE, SIG_IGN)
        // A write to a file that has reached its size limit fails with EFBIG, which is reported, instead of ending the
        // process.
        signal(SIGXFSZ, SIG_IGN)
    }

    /// Starts the thread that takes them. A second SIGTERM or SIGINT ends the process at once.
    static func run(_ control: DaemonControl) throws(UnderstudyError) -> SignalThread {
        let isStopping = Mutex(false)
        return try SignalThread(handled) { number in
            if number == SIGHUP {
                control.reload()
                return
            }
            let isSecond = isStopping.withLock { isStopping in
                defer { isStopping = true }
                return isStopping
            }
            if isSecond { SignalThread.endProcess(by: number) } else { control.stop() }
        }
    }
}
