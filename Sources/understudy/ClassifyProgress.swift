import Cascade
import Diagnostics
import Glibc
import Streams
import Synchronization

/// What `classify` shows on a terminal while its answers go elsewhere: lines, rate and the share that the teacher is
/// asked about. Nothing where standard error is no terminal, or where standard input or output is the same screen.
final class ClassifyProgress: Sendable {
    private let meter: ProgressMeter
    private let shown = Atomic(0)

    init() {
        let isWanted = isatty(STDERR_FILENO) == 1 && isatty(STDIN_FILENO) == 0 && isatty(STDOUT_FILENO) == 0
        meter = isWanted ? .standardError() : .silent
    }

    func begin() { meter.begin("classify", total: nil) }

    func end() { meter.cancel() }

    /// Takes the counts of all that has been written.
    func note(_ tally: CascadeTally) {
        let before = shown.exchange(tally.lines, ordering: .relaxed)
        let answered = tally.answered
        meter.advance(
            by: tally.lines - before, deferred: answered > 0 ? Double(tally.deferred) / Double(answered) : nil)
    }

    /// Says something on a line of its own.
    func say(_ text: String) {
        _ = try? meter.aside { () throws(UnderstudyError) in ClassifyDescriptors.report(text) }
    }

    /// `sink`, whose lines don't run into the bar.
    func beside(_ sink: any ByteSink) -> any ByteSink { Beside(sink: sink, meter: meter) }

    private struct Beside: ByteSink {
        let sink: any ByteSink
        let meter: ProgressMeter

        func write(_ bytes: UnsafeBufferPointer<UInt8>) throws(UnderstudyError) -> SinkOutcome {
            try meter.aside { () throws(UnderstudyError) in try sink.write(bytes) }
        }
    }
}
