import Diagnostics
import Streams
import Synchronization

/// Lets SIGINT and SIGTERM end long work between two steps, so that what is best so far can be kept.
enum Interruption {
    private static let asked = Atomic(false)

    /// From now on the first signal only asks; the second ends the process as usual. Call it before anything starts a
    /// thread.
    ///
    /// A thread waits for the signals, and no handler runs: one that interrupts oneDNN's kernels runs on their stack, below
    /// which they keep values.
    static func begin() throws(UnderstudyError) {
        ClassifySignals.hold()
        try ClassifySignals.onStop { asked.store(true, ordering: .relaxed) }
    }

    static var wasAsked: Bool { asked.load(ordering: .relaxed) }
}
