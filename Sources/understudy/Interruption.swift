import Diagnostics
import Glibc
import Models
import Streams
import Synchronization

/// Lets SIGINT and SIGTERM end long work between two steps, so that what is best so far can be kept.
enum Interruption {
    private static let asked = Atomic(false)
    private static let looks = Atomic(0)

    /// For tests: `UNDERSTUDY_INTERRUPT_AT=N` makes the Nth look at `wasAsked` find the first signal.
    private static let interruptedLook = EnvironmentVariable.value("UNDERSTUDY_INTERRUPT_AT").flatMap { Int($0) }

    /// From now on the first signal only asks; the second removes half-written directories and ends the process as the
    /// signal would. Call it before anything starts a thread: threads inherit the mask.
    ///
    /// A thread waits for the signals, and no handler runs: one that interrupts oneDNN's kernels runs on their stack, below
    /// which they keep values.
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
                    + "interrupted: this ends after the present step, with the best epoch if one has been measured; "
                    + "a second signal ends it at once")
            sigwait(&set, &number)
            UnfinishedDirectories.removeAll {
                signal(number, SIG_DFL)
                pthread_sigmask(SIG_UNBLOCK, &set, nil)
                raise(number)
            }
        }
    }

    /// Asked between the steps of long work, some microseconds at most.
    static var wasAsked: Bool {
        if let interruptedLook, looks.wrappingAdd(1, ordering: .relaxed).newValue >= interruptedLook { return true }
        return asked.load(ordering: .relaxed)
    }

    /// Says which epoch was kept of a training that was stopped.
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
