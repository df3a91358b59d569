import Configuration
import Diagnostics
import Glibc
import Store
import Streams

/// Commits the deliveries of each interval at once: forces the sink files to disk, then stores their lengths, the
/// sources' positions and the disagreements in one transaction.
///
/// One thread, which sleeps while there is nothing to commit. A failed commit stops all deliveries until a commit
/// succeeds, so that a store that can't be written to is noticed.
package final class Committer: Sendable {
    private let outlet: Outlet
    private let commit: @Sendable (Commit) throws(UnderstudyError) -> Void
    private let interval: UInt64
    private let prune: @Sendable () throws(UnderstudyError) -> Void
    private let look: @Sendable () -> Void
    private let report: RateLimitedReport
    private let observe: @Sendable (_ nanoseconds: UInt64, _ succeeded: Bool) -> Void
    /// Start of the current work, in nanoseconds; 0 if there is none. Read by the watchdog.
    private let busySince = Monitor<UInt64>(0)

    private static let firstPause: UInt64 = 100_000_000
    private static let longestPause: UInt64 = 5_000_000_000

    /// A consistent set of files, positions and rows.
    private struct Cut {
        var positions: [(source: any StreamSource, position: SourcePosition)] = []
        var files: [(file: SinkFile, position: SinkFile.Position)] = []
        var forgottenSinks: [ForgottenSink] = []
        var rows: [DisagreementRow] = []
        var records = 0
        var flushes = 0
        var sources: [any StreamSource] = []
        var forgotten: [ForgottenFile] = []
    }

    /// `interval` is in nanoseconds. `prune` is called periodically, `look` every few seconds while there are commits;
    /// `commit` returns when the transaction is durable.
    package init(
        outlet: Outlet, interval: UInt64, prune: @escaping @Sendable () throws(UnderstudyError) -> Void,
        look: @escaping @Sendable () -> Void = {}, report: @escaping @Sendable (UnderstudyError) -> Void,
        observe: @escaping @Sendable (_ nanoseconds: UInt64, _ succeeded: Bool) -> Void,
        commit: @escaping @Sendable (Commit) throws(UnderstudyError) -> Void
    ) {
        self.outlet = outlet
        self.interval = interval
        self.prune = prune
        self.look = look
        self.report = RateLimitedReport(report)
        self.observe = observe
        self.commit = commit
    }

    /// Commits until the outlet stops and everything is durable, or until it gives up.
    package func run() {
        var nextPruning: UInt64 = 0
        var nextLook = Monotonic.nanoseconds &+ PromotionMonitor.interval
        while awaitWork() {
            awaitInterval()
            busySince.withLock { $0 = Monotonic.nanoseconds }
            let goesOn = commitAll()
            if goesOn, Monotonic.nanoseconds >= nextPruning {
                nextPruning = Monotonic.nanoseconds &+ DisagreementPruning.interval
                do throws(UnderstudyError) { try prune() } catch { report("pruning", error) }
            }
            if goesOn, Monotonic.nanoseconds >= nextLook {
                nextLook = Monotonic.nanoseconds &+ PromotionMonitor.interval
                look()
            }
            busySince.withLock { $0 = 0 }
            if !goesOn { return }
        }
    }

    /// Duration of the current commit, in nanoseconds; 0 if there is none.
    var busyTime: UInt64 {
        busySince.withLock { $0 == 0 ? 0 : Monotonic.nanoseconds &- $0 }
    }

    /// Returns false if everything is committed and no more follows.
    private func awaitWork() -> Bool {
        outlet.monitor.wait(on: Outlet.Signal.committer) { state in
            if state.oldest != nil || state.flushesAsked > state.flushesDone { return true }
            return state.isStopping || state.hasGivenUp ? false : nil
        }
    }

    private func awaitInterval() {
        let begin = outlet.monitor.withLock { $0.oldest }
        let deadline = (begin ?? 0) &+ interval
        let _: Bool? = outlet.monitor.wait(on: Outlet.Signal.committer, until: deadline) { state in
            state.isStopping || state.hasGivenUp || state.flushesAsked > state.flushesDone ? true : nil
        }
    }

    /// Returns false if the outlet gave up.
    private func commitAll() -> Bool {
        var pause = Self.firstPause
        var taken: Cut?
        while taken == nil {
            do throws(UnderstudyError) { taken = try takeCut() } catch {
                if !holdOut(error, &pause) { return false }
            }
        }
        guard var cut = taken else { return false }
        for source in cut.sources {
            for file in source.takeForgotten() { cut.forgotten.append(ForgottenFile(source: source.name, file: file)) }
        }
        CrashPoint.cut.pass()
        while true {
            let begin = Monotonic.nanoseconds
            do throws(UnderstudyError) {
                try write(cut)
                observe(Monotonic.nanoseconds &- begin, true)
                finish(cut)
                return true
            } catch {
                observe(Monotonic.nanoseconds &- begin, false)
                if cut.files.contains(where: { $0.file.hasFailed }) {
                    outlet.monitor.withLock { $0.isHopeless = true }
                }
                if !holdOut(error, &pause) { return false }
            }
        }
    }

    /// Reports the error, stops deliveries, and waits before the next attempt. Returns false if the outlet gave up.
    private func holdOut(_ error: UnderstudyError, _ pause: inout UInt64) -> Bool {
        report("commit", error)
        outlet.monitor.withLock { $0.failure = error }
        outlet.monitor.broadcast(Outlet.Signal.flushed)
        let givenUp: Bool? = outlet.monitor.wait(
            on: Outlet.Signal.committer, until: Monotonic.nanoseconds &+ pause
        ) { state in state.hasGivenUp ? true : nil }
        pause = min(pause * 2, Self.longestPause)
        return givenUp != true
    }

    /// Throws the errors of `FileSink.replace`; nothing is taken then.
    private func takeCut() throws(UnderstudyError) -> Cut {
        let outcome = outlet.monitor.withLock { state in
            Result { () throws(UnderstudyError) in
                let files = try Self.look(&state)
                return cut(files, &state)
            }
        }
        return try outcome.get()
    }

    /// Returns the end positions of the files. A file that was deleted meanwhile is replaced.
    private static func look(
        _ state: inout Outlet.State
    ) throws(UnderstudyError) -> [(file: SinkFile, position: SinkFile.Position)] {
        var files: [(file: SinkFile, position: SinkFile.Position)] = []
        for (key, written) in state.files {
            let position = written.file.position
            guard position.isDeleted, let new = try written.sink.replace(written.file) else {
                files.append((written.file, position))
                continue
            }
            state.files[key] = nil
            state.files[ObjectIdentifier(new)] = Outlet.Written(file: new, sink: written.sink)
            state.forgotten.append(ForgottenSink(device: written.file.device, inode: written.file.inode))
            files.removeAll { $0.file === new }
            files.append((new, new.position))
        }
        return files
    }

    private func cut(_ files: [(file: SinkFile, position: SinkFile.Position)], _ state: inout Outlet.State) -> Cut {
        var cut = Cut()
        cut.sources = Array(state.sources.values)
        for (key, progress) in state.progress where progress.isChanged {
            guard let source = state.sources[key.source] else { continue }
            cut.positions.append((source, progress.position))
            if progress.canBeForgotten {
                state.progress[key] = nil
            } else {
                state.progress[key]?.isChanged = false
            }
        }
        cut.files = files
        cut.forgottenSinks = state.forgotten
        state.forgotten = []
        cut.rows = state.rows
        cut.records = state.uncommitted
        cut.flushes = state.flushesAsked
        state.files.removeAll(keepingCapacity: true)
        state.rows.removeAll()
        state.oldestInCut = state.oldest
        state.oldest = nil
        return cut
    }

    private func write(_ cut: Cut) throws(UnderstudyError) {
        for (file, _) in cut.files { try file.synchronise() }
        CrashPoint.synchronised.pass()
        var checkpoints: [FileCheckpoint] = []
        for (source, position) in cut.positions {
            if let checkpoint = try source.checkpoint(position) { checkpoints.append(checkpoint) }
        }
        let lengths = cut.files.map { file, position in
            SinkLength(
                sink: file.sink, path: file.path, device: file.device, inode: file.inode, length: position.length,
                born: file.born, mark: position.mark)
        }
        let all = Commit(
            checkpoints: checkpoints, sinks: lengths, disagreements: cut.rows, forgottenFiles: cut.forgotten,
            forgottenSinks: cut.forgottenSinks)
        if !all.isEmpty { try commit(all) }
        CrashPoint.committed.pass()
    }

    private func finish(_ cut: Cut) {
        for (file, position) in cut.files { file.committed(position.length) }
        for (source, position) in cut.positions { source.committed(position) }
        CrashPoint.acknowledged.pass()
        outlet.monitor.withLock { state in
            state.failure = nil
            state.oldestInCut = nil
            state.uncommitted -= cut.records
            state.flushesDone = max(state.flushesDone, cut.flushes)
        }
        outlet.monitor.broadcast(Outlet.Signal.delivery)
        outlet.monitor.broadcast(Outlet.Signal.flushed)
    }
}

/// Periodically prunes the disagreement log to its limits, on the committer's thread.
struct DisagreementPruning: Sendable {
    let store: Store
    let settings: DisagreementSettings
    /// Once an hour, because rows are kept for days.
    static let interval: UInt64 = 3_600_000_000_000

    func prune() throws(UnderstudyError) {
        let now = Int64(time(nil)) * 1_000_000
        _ = try store.prune(keepDays: settings.keepDays, keepRows: settings.keepRows, now: now)
    }
}
