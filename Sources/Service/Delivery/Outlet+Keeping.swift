import Cascade
import Diagnostics
import Glibc
import Store
import Streams

/// How a job comes to be kept: appended to its files and noted, or nothing of it.
extension Outlet {
    /// Pauses between attempts when there is no room: from the first to the longest, in nanoseconds.
    private static let firstPause: UInt64 = 50_000_000
    private static let longestPause: UInt64 = 5_000_000_000

    /// How many disagreements the status page shows.
    private static let mostRecent = 20

    /// Appends the job's records to its files and notes how far its source has come. Returns the names of sinks that
    /// were full and dropped theirs; nil: given up, nothing is kept.
    ///
    /// `isWanted` is asked with the outlet's lock held; see `endWaiting`.
    func keep(_ job: CascadeJob, _ sinks: SinkSet, while isWanted: () -> Bool = { true }) -> Set<String>? {
        let rows = DisagreementRows.rows(of: job, sinks)
        var pause = Self.firstPause
        var dropping: Set<String> = []
        while true {
            switch attempt(job, rows, sinks, without: dropping, while: isWanted) {
            case .kept(let isFirst):
                // The committer knows of deliveries before this one, if there are any.
                if isFirst { monitor.signal(Signal.committer) }
                return dropping
            case .givenUp: return nil
            case .failed(let sink, let error):
                report(sink.name, error)
                monitor.withLock { $0.full[sink.name] = Full(error: error, holdsUp: !sink.drops) }
                if sink.drops {
                    // What this sink would have got is dropped; the others get theirs.
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

    /// Waits while the store doesn't take commits, and then tries to keep all.
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

    /// Makes `change`, after which somebody's deliveries aren't wanted any more: none of them is kept from then on.
    func endWaiting(_ change: () -> Void) {
        monitor.withLock { _ in change() }
        monitor.broadcast(Signal.delivery)
    }

    /// All of the job's records to all of its files, or nothing.
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
                // A file that can't be cut now is cut before its next append.
                try? file.cut(to: length)
            }
            done.removeAll()
            if failure.1.code != .noSpace {
                // Without a descriptor left, the state can't be committed and the status page can't answer.
                forEachFile(job, sinks) { _, sink, _, _ in sink.releaseIdle() }
            }
            return failure
        }
        for (file, sink, _) in done { state.files[ObjectIdentifier(file)] = Written(file: file, sink: sink) }
        return nil
    }

    /// Sinks that have taken something have room again.
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
}
