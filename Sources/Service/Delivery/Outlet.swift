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
final class Outlet: Sendable {
    struct State: Sendable {
        var progress: [FileProgress.Key: FileProgress] = [:]
        var sources: [String: any StreamSource] = [:]
        /// Files that have been written to since the last cut.
        var files: [ObjectIdentifier: SinkFile] = [:]
        var rows: [DisagreementRow] = []
        /// The latest rows where the two models differ, newest last.
        var recent: [DisagreementRow] = []
        /// When the oldest delivery was made that isn't committed, in nanoseconds.
        var oldest: UInt64?
        var uncommitted = 0
        /// Why nobody may deliver.
        var failure: UnderstudyError?
        /// Why files can't be written to, by their sinks' names.
        var obstacles: [String: UnderstudyError] = [:]
        /// Counts calls for a commit now, and those that have been answered.
        var flushesAsked = 0
        var flushesDone = 0
        var isStopping = false
        /// Nobody waits any longer for room: what isn't delivered by now is left to the next run.
        var hasGivenUp = false
    }

    enum Signal {
        static let committer = 0
        static let delivery = 1
        static let flushed = 2
        static let count = 3
    }

    let monitor = Monitor(State(), conditions: Signal.count)
    private let report: RateLimitedReport
    private let keepsRows: Bool

    /// Pauses between attempts when there is no room: from the first to the longest, in nanoseconds.
    private static let firstPause: UInt64 = 50_000_000
    private static let longestPause: UInt64 = 5_000_000_000

    /// How many disagreements the status page shows.
    private static let mostRecent = 20

    init(keepsRows: Bool, report: @escaping @Sendable (UnderstudyError) -> Void) {
        self.keepsRows = keepsRows
        self.report = RateLimitedReport(report)
    }

    // MARK: Sources

    func add(_ source: any StreamSource) {
        monitor.withLock { $0.sources[source.name] = source }
    }

    func remove(_ source: any StreamSource) {
        monitor.withLock { state in
            if state.sources[source.name] === source { state.sources[source.name] = nil }
            state.progress = state.progress.filter { $0.key.source != source.name }
        }
    }

    // MARK: Delivery

    /// Appends the job's records to its files and notes how far its source has come. False: given up, nothing is kept.
    ///
    /// `dropped` is told of records that a full sink dropped.
    func keep(_ job: CascadeJob, _ sinks: SinkSet, dropped: (SinkTarget, Int) -> Void) -> Bool {
        let rows = keepsRows ? DisagreementRows.rows(of: job, sinks) : []
        var pause = Self.firstPause
        var given: Set<String> = []
        var hindrances: Set<String> = []
        while true {
            guard awaitStore() else { return false }
            let failure = monitor.withLock { state -> (sink: SinkTarget, error: UnderstudyError)? in
                if let failure = append(job, sinks, without: given, to: &state) {
                    if !failure.sink.drops { state.obstacles[failure.sink.name] = failure.error }
                    return failure
                }
                for name in hindrances { state.obstacles[name] = nil }
                CrashPoint.appended.pass()
                note(job, rows, in: &state)
                return nil
            }
            guard let failure else {
                monitor.signal(Signal.committer)
                return true
            }
            report(failure.sink.name, failure.error)
            if failure.sink.drops {
                // What this sink would have got is dropped; the others get theirs.
                given.insert(failure.sink.name)
                dropped(failure.sink, records(of: job, sinks, for: failure.sink))
                continue
            }
            hindrances.insert(failure.sink.name)
            guard rest(pause) else { return false }
            pause = min(pause * 2, Self.longestPause)
        }
    }

    /// Waits while the store doesn't take commits; false when given up.
    private func awaitStore() -> Bool {
        monitor.wait(on: Signal.delivery) { state in
            if state.hasGivenUp { return false }
            return state.failure == nil ? true : nil
        }
    }

    private func rest(_ pause: UInt64) -> Bool {
        let givenUp: Bool? = monitor.wait(on: Signal.delivery, until: Monotonic.nanoseconds &+ pause) { state in
            state.hasGivenUp ? true : nil
        }
        return givenUp != true
    }

    /// All of the job's records to all of its files, or nothing.
    private func append(
        _ job: CascadeJob, _ sinks: SinkSet, without given: Set<String>, to state: inout State
    ) -> (sink: SinkTarget, error: UnderstudyError)? {
        var done: [(file: SinkFile, length: UInt64)] = []
        let time = Glibc.time(nil)
        let source = job.origin?.source ?? ""
        var failure: (SinkTarget, UnderstudyError)?
        forEachFile(job, sinks) { target, sink, label, buffer in
            guard failure == nil, buffer.count > 0, !given.contains(target.name) else { return }
            do throws(UnderstudyError) {
                let file = try sink.file(label: label, source: source, time: time)
                let before = file.length
                try file.append(buffer.bytes)
                done.append((file, before))
                CrashPoint.appending.pass()
            } catch {
                failure = (target, error)
            }
        }
        if let failure {
            for (file, length) in done.reversed() {
                // A file that can't be cut now is cut before its next append.
                try? file.cut(to: length)
            }
            return failure
        }
        for (file, _) in done { state.files[ObjectIdentifier(file)] = file }
        return nil
    }

    private func forEachFile(
        _ job: CascadeJob, _ sinks: SinkSet, _ body: (SinkTarget, FileSink, String, ByteBuffer) -> Void
    ) {
        guard let routes = job.routes else { return }
        for (index, target) in sinks.targets.enumerated() {
            guard case .file(let sink) = target.kind else { continue }
            let first = routes.firstBuffer[index]
            if routes.routes[index].splitsByLabel {
                for (place, label) in sinks.labels.enumerated() {
                    body(target, sink, label, job.outputs[first + place])
                }
            } else {
                body(target, sink, "", job.outputs[first])
            }
        }
        if let target = sinks.deadLetter, case .file(let sink) = target.kind { body(target, sink, "", job.refusals) }
    }

    private func records(of job: CascadeJob, _ sinks: SinkSet, for target: SinkTarget) -> Int {
        guard let routes = job.routes, let index = sinks.targets.firstIndex(where: { $0 === target }) else {
            return job.refusalRecords
        }
        let first = routes.firstBuffer[index]
        let count = routes.routes[index].splitsByLabel ? sinks.labels.count : 1
        return job.outputRecords[first..<(first + count)].reduce(0, +)
    }

    private func note(_ job: CascadeJob, _ rows: [DisagreementRow], in state: inout State) {
        state.rows.append(contentsOf: rows)
        for row in rows where row.studentLabel != row.teacherLabel { state.recent.append(row) }
        if state.recent.count > Self.mostRecent { state.recent.removeFirst(state.recent.count - Self.mostRecent) }
        state.uncommitted += job.outputRecords.reduce(0, +)
        if state.oldest == nil { state.oldest = Monotonic.nanoseconds }
        guard let origin = job.origin, let file = origin.file else { return }
        let key = FileProgress.Key(source: origin.source, file: file)
        var progress = state.progress[key] ?? FileProgress(origin)
        if !job.isRest {
            var left: [UInt64] = []
            job.forEachUnanswered { left.append($0) }
            progress.advance(origin, to: job.end, line: job.nextNumber, hasEnded: job.endsOrigin, left: left)
        }
        if job.isRest || !progress.unanswered.isEmpty { job.forEachAnswered { progress.settle($0) } }
        state.progress[key] = progress
    }

    // MARK: Changes from outside

    /// Commits what has been delivered so far, and waits until that is durable; false if it was given up.
    @discardableResult
    func flush() -> Bool {
        let ticket = monitor.withLock { state in
            state.flushesAsked += 1
            return state.flushesAsked
        }
        monitor.signal(Signal.committer)
        return monitor.wait(on: Signal.flushed) { state in
            if state.flushesDone >= ticket { return state.failure == nil }
            return state.hasGivenUp ? false : nil
        }
    }

    /// Ends all waiting: what isn't delivered by now is left to the next run.
    func giveUp() {
        monitor.withLock { $0.hasGivenUp = true }
        monitor.broadcast(Signal.delivery)
        monitor.broadcast(Signal.flushed)
        monitor.broadcast(Signal.committer)
    }

    /// The committer ends after a last commit.
    func stop() {
        monitor.withLock { $0.isStopping = true }
        monitor.broadcast(Signal.committer)
    }

    var lag: (records: Int, nanoseconds: UInt64) {
        monitor.withLock { state in
            (state.uncommitted, state.oldest.map { Monotonic.nanoseconds &- $0 } ?? 0)
        }
    }

    /// Newest first.
    var recentDisagreements: [DisagreementSummary] {
        monitor.withLock { $0.recent }.reversed().map { row in
            DisagreementSummary(
                text: row.text, source: row.source, time: Double(row.time) / 1e6, reason: row.reason.rawValue,
                studentLabel: row.studentLabel, studentConfidence: Double(row.studentConfidence),
                teacherLabel: row.teacherLabel, teacherConfidence: Double(row.teacherConfidence))
        }
    }

    /// Why answers aren't committed.
    var failure: UnderstudyError? { monitor.withLock { $0.failure } }

    /// Why answers wait for a file.
    var obstacle: UnderstudyError? { monitor.withLock { $0.obstacles.values.first } }
}
