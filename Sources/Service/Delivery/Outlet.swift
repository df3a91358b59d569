import Cascade
import Diagnostics
import Glibc
import Store
import Streams

/// Collects the answers of all sources and makes them durable.
///
/// A job's bytes are written to its flows first (at least once). Then, under the outlet's lock, they are appended to
/// all of its files and the progress of its source is noted, all or nothing. The lengths of the files and the positions
/// of the sources are therefore always consistent. The committer takes both (`Cut`), forces the files to disk and
/// stores lengths and positions in one transaction: exactly once.
///
/// While a file has no room or the store can't be written to, deliveries wait, and so do the sources.
package final class Outlet: Sendable {
    struct State: Sendable {
        var progress: [FileProgress.Key: FileProgress] = [:]
        var sources: [String: any StreamSource] = [:]
        /// Files written to since the last cut.
        var files: [ObjectIdentifier: Written] = [:]
        /// Files that were deleted while in use and have been replaced.
        var forgotten: [ForgottenSink] = []
        var rows: [DisagreementRow] = []
        /// The latest rows with different labels of the two models, newest last.
        var recent: [DisagreementRow] = []
        /// Time of the oldest uncommitted delivery, in nanoseconds.
        var oldest: UInt64?
        /// Time of the oldest delivery in the current commit.
        var oldestInCut: UInt64?
        var uncommitted = 0
        /// The error that blocks all deliveries.
        var failure: UnderstudyError? {
            didSet { shownFailure.withLock { $0 = failure } }
        }
        let shownFailure: LockedValue<UnderstudyError?>
        /// Whether the failure lasts until a restart, because data written to a file may not be on disk.
        var isHopeless = false
        /// Full sinks and their errors.
        var full: [String: Full] = [:]
        var targets: [SinkTarget] = []
        /// Counts the requests for an immediate commit, and those completed.
        var flushesAsked = 0
        var flushesDone = 0
        var isStopping = false
        /// Whether waiting for room has ended. Undelivered lines are left to the next run.
        var hasGivenUp = false
    }

    struct Written: Sendable {
        var file: SinkFile
        var sink: FileSink
    }

    struct Full: Sendable {
        var error: UnderstudyError
        /// Whether lines wait for the sink; otherwise they are dropped.
        var holdsUp: Bool
    }

    enum Signal {
        static let committer = 0
        static let delivery = 1
        static let flushed = 2
        static let count = 3
    }

    let monitor: Monitor<State>
    let report: RateLimitedReport
    /// A copy of `State.failure` for callers that must not wait for the monitor, which is held during file writes.
    private let shownFailure = LockedValue<UnderstudyError?>(nil)

    package init(report: @escaping @Sendable (UnderstudyError) -> Void) {
        self.report = RateLimitedReport(report)
        monitor = Monitor(State(shownFailure: shownFailure), conditions: Signal.count)
    }

    // MARK: Sources

    package func add(_ source: any StreamSource) {
        monitor.withLock { $0.sources[source.name] = source }
    }

    package func remove(_ source: any StreamSource) {
        monitor.withLock { state in
            if state.sources[source.name] === source { state.sources[source.name] = nil }
            state.progress = state.progress.filter { $0.key.source != source.name }
        }
    }

    // MARK: Changes from outside

    /// Commits all deliveries so far and waits until they are durable. Returns false if the outlet gave up, or at
    /// `deadline` (nanoseconds).
    package func flush(until deadline: UInt64 = .max) -> Bool {
        let ticket = monitor.withLock { state in
            state.flushesAsked += 1
            return state.flushesAsked
        }
        monitor.signal(Signal.committer)
        let isDurable: Bool? = monitor.wait(on: Signal.flushed, until: deadline) { state in
            if state.flushesDone >= ticket { return true }
            return state.hasGivenUp ? false : nil
        }
        return isDurable ?? false
    }

    /// Ends all waiting. Undelivered lines are left to the next run.
    package func giveUp() {
        monitor.withLock { $0.hasGivenUp = true }
        monitor.broadcast(Signal.delivery)
        monitor.broadcast(Signal.flushed)
        monitor.broadcast(Signal.committer)
    }

    /// Ends the committer after a last commit.
    package func stop() {
        monitor.withLock { $0.isStopping = true }
        monitor.broadcast(Signal.committer)
    }

    package var lag: (records: Int, nanoseconds: UInt64) {
        monitor.withLock { state in
            (state.uncommitted, (state.oldestInCut ?? state.oldest).map { Monotonic.nanoseconds &- $0 } ?? 0)
        }
    }

    /// Newest first.
    package var recentDisagreements: [DisagreementSummary] {
        monitor.withLock { $0.recent }.reversed().map { row in
            DisagreementSummary(
                text: row.text, source: row.source, time: Double(row.time) / 1e6, reason: row.reason.rawValue,
                studentLabel: row.studentLabel, studentConfidence: Double(row.studentConfidence),
                teacherLabel: row.teacherLabel, teacherConfidence: Double(row.teacherConfidence))
        }
    }

    /// Sets the configured sinks, which are watched for slow deliveries.
    func watch(_ targets: [SinkTarget]) {
        monitor.withLock { $0.targets = targets }
    }

    /// Sentences about sinks that block their sources.
    var waitingSinks: [String] {
        monitor.withLock { $0.targets }.compactMap { target in
            let time = target.waitingTime
            guard time > Self.patience else { return nil }
            return "sink \(target.name) has taken nothing for \(time / 1_000_000_000) s; the lines before it wait"
        }
    }

    /// Minimum duration of a delivery to be reported, in nanoseconds.
    private static let patience: UInt64 = 5_000_000_000

    /// Sentences about sinks without room.
    var fullSinks: [String] {
        monitor.withLock { $0.full }.sorted { $0.key < $1.key }.map { "sink \($0.key): \($0.value.error)" }
    }

    /// A sentence about a sink that blocks its sources for a reason other than lack of room, which an operator has to
    /// fix: a file that can't be opened or is in use by another daemon.
    var blockedSink: String? {
        monitor.withLock { $0.full }.filter { $0.value.holdsUp && $0.value.error.code != .noSpace }
            .min { $0.key < $1.key }.map { "sink \($0.key): \($0.value.error)" }
    }

    package var isHopeless: Bool { monitor.withLock { $0.isHopeless } }

    /// Why nothing is committed; nil if there is no problem. Doesn't wait for a running write.
    package var failure: UnderstudyError? { shownFailure.withLock { $0 } }
}
