import Cascade
import Diagnostics
import Glibc
import Store
import Streams

/// Where the answers of all sources come together and become durable.
///
/// A job's bytes go to its flows first (at least once), then, under the outlet's lock, to all of its files and into the
/// notes on how far its source has been answered: all of it or nothing. So at any moment the lengths of the files and
/// the positions of the sources belong together, and the committer can take both as they are (`Cut`), force the files
/// to the disk and keep the lengths and positions in one transaction: exactly once.
///
/// When a file has no room, or the store doesn't take commits, deliveries wait, and with them the sources.
package final class Outlet: Sendable {
    struct State: Sendable {
        var progress: [FileProgress.Key: FileProgress] = [:]
        var sources: [String: any StreamSource] = [:]
        /// Files that have been written to since the last cut.
        var files: [ObjectIdentifier: Written] = [:]
        /// Files that were deleted while they were in use; others have taken their places.
        var forgotten: [ForgottenSink] = []
        var rows: [DisagreementRow] = []
        /// The latest rows where the two models differ, newest last.
        var recent: [DisagreementRow] = []
        /// When the oldest delivery was made that isn't committed, in nanoseconds.
        var oldest: UInt64?
        /// The same of those that are being committed.
        var oldestInCut: UInt64?
        var uncommitted = 0
        /// Why nobody may deliver.
        var failure: UnderstudyError? {
            didSet { shownFailure.withLock { $0 = failure } }
        }
        let shownFailure: Live<UnderstudyError?>
        /// Whether that won't change until a new start: what was written to a file may not be on its disk.
        var isHopeless = false
        /// Sinks that can't take anything, and what they say.
        var full: [String: Full] = [:]
        var targets: [SinkTarget] = []
        /// Counts calls for a commit now, and those that have been answered.
        var flushesAsked = 0
        var flushesDone = 0
        var isStopping = false
        /// Nobody waits any longer for room: what isn't delivered by now is left to the next run.
        var hasGivenUp = false
    }

    struct Written: Sendable {
        var file: SinkFile
        var sink: FileSink
    }

    struct Full: Sendable {
        var error: UnderstudyError
        /// Whether lines wait for it; else they are dropped.
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
    /// `State.failure` for those who mustn't wait for the monitor: it is held while files are written.
    private let shownFailure = Live<UnderstudyError?>(nil)

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

    /// Commits what has been delivered so far, and waits until that is durable; false if it was given up, or isn't by
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

    /// Ends all waiting: what isn't delivered by now is left to the next run.
    package func giveUp() {
        monitor.withLock { $0.hasGivenUp = true }
        monitor.broadcast(Signal.delivery)
        monitor.broadcast(Signal.flushed)
        monitor.broadcast(Signal.committer)
    }

    /// The committer ends after a last commit.
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

    /// The configured sinks, watched for deliveries that take long.
    func watch(_ targets: [SinkTarget]) {
        monitor.withLock { $0.targets = targets }
    }

    /// Sentences about sinks that hold up their sources.
    var waitingSinks: [String] {
        monitor.withLock { $0.targets }.compactMap { target in
            let time = target.waitingTime
            guard time > Self.patience else { return nil }
            return "sink \(target.name) has taken nothing for \(time / 1_000_000_000) s; the lines before it wait"
        }
    }

    /// A delivery that takes longer is told of, in nanoseconds.
    private static let patience: UInt64 = 5_000_000_000

    /// Sentences about sinks that have no room.
    var fullSinks: [String] {
        monitor.withLock { $0.full }.sorted { $0.key < $1.key }.map { "sink \($0.key): \($0.value.error)" }
    }

    /// A sentence about a sink that holds up its sources for another reason than want of room, which an operator has to
    /// change: a file that can't be opened or is another daemon's.
    var blockedSink: String? {
        monitor.withLock { $0.full }.filter { $0.value.holdsUp && $0.value.error.code != .noSpace }
            .min { $0.key < $1.key }.map { "sink \($0.key): \($0.value.error)" }
    }

    package var isHopeless: Bool { monitor.withLock { $0.isHopeless } }

    /// Why nothing is committed; nil while all is well. Doesn't wait for a write that is under way.
    package var failure: UnderstudyError? { shownFailure.withLock { $0 } }
}
