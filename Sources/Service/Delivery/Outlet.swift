import Bytes
import Cascade
import Diagnostics
import Glibc
import Models
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
            return "sink \(target.name) has accepted nothing for \(time / 1_000_000_000) s; its lines wait"
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

/// Stores a job atomically: its records are appended to the files and its progress is noted, or nothing is.
extension Outlet {
    /// Pauses between attempts while there is no room: the first and the longest, in nanoseconds.
    private static let firstPause: UInt64 = 50_000_000
    private static let longestPause: UInt64 = 5_000_000_000

    /// Number of disagreements on the status page.
    private static let mostRecent = 20

    /// Appends the job's records to its files and notes the progress of its source. Returns the names of full sinks
    /// that dropped their records; nil if the outlet gave up and nothing was stored.
    ///
    /// `isWanted` is called with the outlet's lock held; see `endWaiting`.
    func keep(_ job: CascadeJob, _ sinks: SinkSet, while isWanted: () -> Bool = { true }) -> Set<String>? {
        let rows = DisagreementRows.rows(of: job, sinks)
        var pause = Self.firstPause
        var dropping: Set<String> = []
        while true {
            switch attempt(job, rows, sinks, without: dropping, while: isWanted) {
            case .kept(let isFirst):
                // Only the first delivery since the last cut needs to wake the committer.
                if isFirst { monitor.signal(Signal.committer) }
                return dropping
            case .givenUp: return nil
            case .failed(let sink, let error):
                report(sink.name, error)
                monitor.withLock { $0.full[sink.name] = Full(error: error, holdsUp: !sink.drops) }
                if sink.drops {
                    // This sink's records are dropped; the other sinks get theirs.
                    dropping.insert(sink.name)
                } else {
                    rest(pause, while: isWanted)
                    pause = min(pause * 2, Self.longestPause)
                }
            }
        }
    }

    private enum Attempt {
        case kept(isFirst: Bool)
        case failed(SinkTarget, UnderstudyError)
        case givenUp
    }

    /// Waits while the store can't be written to, and then tries to store everything.
    private func attempt(
        _ job: CascadeJob, _ rows: [DisagreementRow], _ sinks: SinkSet, without dropping: Set<String>,
        while isWanted: () -> Bool
    ) -> Attempt {
        monitor.wait(on: Signal.delivery) { state in
            if state.hasGivenUp || !isWanted() { return .givenUp }
            guard state.failure == nil else { return nil }
            if let (sink, error) = append(job, sinks, without: dropping, to: &state) { return .failed(sink, error) }
            CrashPoint.appended.pass()
            let isFirst = state.oldest == nil
            note(job, rows, in: &state)
            if !state.full.isEmpty { forgive(job, sinks, without: dropping, in: &state) }
            return .kept(isFirst: isFirst)
        }
    }

    private func rest(_ pause: UInt64, while isWanted: () -> Bool) {
        let _: Bool? = monitor.wait(on: Signal.delivery, until: Monotonic.nanoseconds &+ pause) { state in
            state.hasGivenUp || !isWanted() ? true : nil
        }
    }

    /// Makes `change`, after which some deliveries are no longer wanted. None of them is stored from then on.
    func endWaiting(_ change: () -> Void) {
        monitor.withLock { _ in change() }
        monitor.broadcast(Signal.delivery)
    }

    /// Appends all of the job's records to all of its files, or none.
    private func append(
        _ job: CascadeJob, _ sinks: SinkSet, without dropping: Set<String>, to state: inout State
    ) -> (sink: SinkTarget, error: UnderstudyError)? {
        var done: [(file: SinkFile, sink: FileSink, length: UInt64)] = []
        let time = Glibc.time(nil)
        let source = job.origin?.source ?? ""
        var failure: (SinkTarget, UnderstudyError)?
        forEachFile(job, sinks) { target, sink, label, buffer in
            guard failure == nil, buffer.count > 0, !dropping.contains(target.name) else { return }
            do throws(UnderstudyError) {
                let file = try sink.file(label: label, source: source, time: time)
                let before = file.length
                try file.append(buffer.bytes)
                done.append((file, sink, before))
                CrashPoint.appending.pass()
            } catch {
                failure = (target, error)
            }
        }
        if let failure {
            for (file, _, length) in done.reversed() {
                // A file that can't be truncated now is truncated before its next append.
                try? file.cut(to: length)
            }
            done.removeAll()
            if failure.1.code != .noSpace {
                // Without free descriptors the state can't be committed and the status page can't answer.
                forEachFile(job, sinks) { _, sink, _, _ in sink.releaseIdle() }
            }
            return failure
        }
        for (file, sink, _) in done { state.files[ObjectIdentifier(file)] = Written(file: file, sink: sink) }
        return nil
    }

    /// Clears the error of sinks that have taken records again.
    private func forgive(_ job: CascadeJob, _ sinks: SinkSet, without dropping: Set<String>, in state: inout State) {
        forEachFile(job, sinks) { target, _, _, buffer in
            if buffer.count > 0, !dropping.contains(target.name) { state.full[target.name] = nil }
        }
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

    private func note(_ job: CascadeJob, _ rows: [DisagreementRow], in state: inout State) {
        state.rows.append(contentsOf: rows)
        for row in rows where !row.agrees { state.recent.append(row) }
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
}

/// Converts the teacher's answers of a job to rows of the disagreement log.
enum DisagreementRows {
    static func rows(of job: CascadeJob, _ sinks: SinkSet) -> [DisagreementRow] {
        guard let teacher = sinks.teacher, let origin = job.origin else { return [] }
        var rows: [DisagreementRow] = []
        var time: Int64 = 0
        let fingerprint = job.models?.teacher?.fingerprint ?? ""
        job.forEachTeacherAnswer { seen in
            if time == 0 { time = now() }
            rows.append(
                DisagreementRow(
                    id: seen.id, source: origin.source, text: String(decoding: seen.text, as: UTF8.self), time: time,
                    reason: seen.reason, studentLogits: Array(seen.studentLogits),
                    teacherLogits: Array(seen.teacherLogits), labels: sinks.labels,
                    studentLabel: sinks.labels[seen.student.label], teacherLabel: sinks.labels[seen.teacher.label],
                    studentConfidence: seen.student.confidence, teacherConfidence: seen.teacher.confidence,
                    student: sinks.student, teacher: teacher, teacherFingerprint: fingerprint))
        }
        return rows
    }

    /// Microseconds since 1970.
    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
