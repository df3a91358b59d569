import Diagnostics
import Store
import Streams

/// Makes deliveries durable, all of an interval's in one go: forces the sink files to the disk, then keeps their lengths,
/// the sources' positions and the disagreements in one transaction.
///
/// One thread. Sleeps while there is nothing to commit. A commit that fails stops all deliveries until one goes well:
/// a store that doesn't write must not be silent.
package final class Committer: Sendable {
    private let outlet: Outlet
    private let commit: @Sendable (Commit) throws(UnderstudyError) -> Void
    private let interval: UInt64
    private let prune: @Sendable () throws(UnderstudyError) -> Void
    private let look: @Sendable () -> Void
    private let report: RateLimitedReport
    private let observe: @Sendable (_ nanoseconds: UInt64, _ succeeded: Bool) -> Void
    /// When the work under way began, in nanoseconds; 0 while there is none. Watched from outside.
    private let busySince = Monitor<UInt64>(0)

    private static let firstPause: UInt64 = 100_000_000
    private static let longestPause: UInt64 = 5_000_000_000

    /// What belongs together at one moment.
    private struct Cut {
        var positions: [(source: any StreamSource, position: SourcePosition)] = []
        var files: [(file: SinkFile, length: UInt64)] = []
        var rows: [DisagreementRow] = []
        var records = 0
        var flushes = 0
        var sources: [any StreamSource] = []
        var forgotten: [ForgottenFile] = []
    }

    /// `interval` in nanoseconds. `prune` is called now and then, `look` every few seconds while there are commits; `commit` returns when the transaction is durable.
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

    /// Commits until the outlet stops and everything is durable, or it gives up.
    package func run() {
        var nextPruning: UInt64 = 0
        var nextLook = Monotonic.nanoseconds &+ Oversight.interval
        while awaitWork() {
            awaitInterval()
            busySince.withLock { $0 = Monotonic.nanoseconds }
            let goesOn = commitAll()
            if goesOn, Monotonic.nanoseconds >= nextPruning {
                nextPruning = Monotonic.nanoseconds &+ DisagreementPruning.interval
                do throws(UnderstudyError) { try prune() } catch { report("pruning", error) }
            }
            if goesOn, Monotonic.nanoseconds >= nextLook {
                nextLook = Monotonic.nanoseconds &+ Oversight.interval
                look()
            }
            busySince.withLock { $0 = 0 }
            if !goesOn { return }
        }
    }

    /// How long the commit under way has taken so far, in nanoseconds; 0: none is.
    var busyTime: UInt64 {
        busySince.withLock { $0 == 0 ? 0 : Monotonic.nanoseconds &- $0 }
    }

    /// False: all is committed and no more comes.
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

    /// False when it was given up.
    private func commitAll() -> Bool {
        var cut = takeCut()
        for source in cut.sources {
            for file in source.takeForgotten() { cut.forgotten.append(ForgottenFile(source: source.name, file: file)) }
        }
        CrashPoint.cut.pass()
        var pause = Self.firstPause
        while true {
            let begin = Monotonic.nanoseconds
            do throws(UnderstudyError) {
                try write(cut)
                observe(Monotonic.nanoseconds &- begin, true)
                finish(cut)
                return true
            } catch {
                observe(Monotonic.nanoseconds &- begin, false)
                report("commit", error)
                outlet.monitor.withLock { $0.failure = error }
                outlet.monitor.broadcast(Outlet.Signal.flushed)
            }
            let givenUp: Bool? = outlet.monitor.wait(
                on: Outlet.Signal.committer, until: Monotonic.nanoseconds &+ pause
            ) { state in state.hasGivenUp ? true : nil }
            if givenUp == true { return false }
            pause = min(pause * 2, Self.longestPause)
        }
    }

    private func takeCut() -> Cut {
        outlet.monitor.withLock { state in
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
            cut.files = state.files.values.map { ($0, $0.length) }
            cut.rows = state.rows
            cut.records = state.uncommitted
            cut.flushes = state.flushesAsked
            state.files.removeAll(keepingCapacity: true)
            state.rows.removeAll()
            state.oldestInCut = state.oldest
            state.oldest = nil
            return cut
        }
    }

    private func write(_ cut: Cut) throws(UnderstudyError) {
        for (file, _) in cut.files { try file.synchronise() }
        CrashPoint.synchronised.pass()
        var checkpoints: [FileCheckpoint] = []
        for (source, position) in cut.positions {
            if let checkpoint = try source.checkpoint(position) { checkpoints.append(checkpoint) }
        }
        let lengths = cut.files.map { file, length in
            SinkLength(sink: file.sink, path: file.path, device: file.device, inode: file.inode, length: length)
        }
        let all = Commit(
            checkpoints: checkpoints, sinks: lengths, disagreements: cut.rows, forgottenFiles: cut.forgotten)
        if !all.isEmpty { try commit(all) }
        CrashPoint.committed.pass()
    }

    private func finish(_ cut: Cut) {
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
