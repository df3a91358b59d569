import Diagnostics
import Glibc
import Models
import Streams
import Synchronization

/// Ends long work between two steps on SIGINT or SIGTERM, so that the best result so far is kept.
enum Interruption {
    private static let asked = Atomic(false)
    private static let looks = Atomic(0)

    /// For tests: with `UNDERSTUDY_INTERRUPT_AT=N` the Nth read of `wasAsked` finds the first signal.
    private static let interruptedLook = EnvironmentVariable.value("UNDERSTUDY_INTERRUPT_AT").flatMap { Int($0) }

    /// Starts the handling of the signals: the first one sets `wasAsked`; the second one removes partial directories
    /// and ends the process by the signal. Must be called before any thread is started, because threads inherit the
    /// mask.
    ///
    /// A thread waits for the signals instead of a handler. A handler that interrupts a oneDNN kernel runs on its
    /// stack, below which the kernel keeps values.
    static func begin() throws(UnderstudyError) {
        var set = signals
        pthread_sigmask(SIG_BLOCK, &set, nil)
        _ = try WorkerThread(name: "signals") {
            var set = signals
            var number: Int32 = 0
            sigwait(&set, &number)
            asked.store(true, ordering: .relaxed)
            ClassifyDescriptors.report(
                (ClassifyDescriptors.standardErrorIsTerminal ? "\r\u{1B}[K" : "")
                    + "interrupted: training ends after the current step and keeps the best measured epoch, if any; "
                    + "a second signal ends it at once")
            sigwait(&set, &number)
            UnfinishedDirectories.removeAll {
                signal(number, SIG_DFL)
                pthread_sigmask(SIG_UNBLOCK, &set, nil)
                raise(number)
            }
        }
    }

    /// Whether a signal requested the end. Read between the steps of long work; takes some microseconds at most.
    static var wasAsked: Bool {
        if let interruptedLook, looks.wrappingAdd(1, ordering: .relaxed).newValue >= interruptedLook { return true }
        return asked.load(ordering: .relaxed)
    }

    /// Prints which epoch of a stopped training was kept.
    static func report(kept best: Int, of measured: Int) {
        ClassifyDescriptors.report(
            measured == 1
                ? "interrupted: the only epoch that was measured is kept"
                : "interrupted: of \(measured) measured epochs the best, epoch \(best), is kept")
    }

    private static var signals: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        return set
    }
}
