import Diagnostics
import Dispatch
import Store
import Streams
import Synchronization
import TestSupport
import Testing

@Suite(.offPool) struct ConcurrencyTests {
    /// Commits, pruning, the status page's questions and a person's labels from beside, all at once: none fails, and
    /// nothing that was committed is missing.
    @Test func allAtOnce() throws {
        let folder = try TemporaryFolder()
        let reports = Reports()
        let store = try Store.open(directory: folder.path, report: reports.add)
        try store.commit(
            Commit(disagreements: (0..<3000 as Range<UInt64>).map { Samples.row(id: $0 + 10_000, time: Int64($0)) }))
        let failures = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 4) { worker in
            do {
                switch worker {
                case 0:
                    for number in 1...60 as ClosedRange<UInt64> {
                        try store.commit(
                            Commit(
                                checkpoints: [Samples.checkpoint(inode: number % 7, offset: number)],
                                sinks: [Samples.sink(inode: 1, length: number)],
                                disagreements: [Samples.row(id: number, time: 1_000_000)]))
                    }
                case 1: try store.prune(keepDays: .max, keepRows: 500, now: 2_000_000)
                case 2:
                    for _ in 0..<20 {
                        _ = try store.disagreements(limit: 20)
                        _ = try store.auditAgreement(hours: 24, now: 2_000_000)
                        _ = try store.disagreementStatistics()
                    }
                default:
                    let beside = try Store.openBeside(directory: folder.path, readOnly: false, report: reports.add)
                    for number in 1...20 as ClosedRange<UInt64> {
                        _ = try beside.setHumanLabel(id: number, label: Samples.labels[0])
                    }
                }
            } catch {
                failures.withLock { $0.append("\(worker): \(error)") }
            }
        }
        #expect(failures.withLock { $0 }.isEmpty)
        #expect(try Set(store.checkpoints().map(\.offset)) == Set(54...60))
        #expect(try store.sinkLengths().map(\.length) == [60])
        let ids = try Set(store.disagreements(limit: .max).map(\.id))
        #expect(ids.isSuperset(of: 1...60))
        try store.prune(keepDays: .max, keepRows: 60, now: 2_000_000)
        #expect(try Set(store.disagreements(limit: .max).map(\.id)) == Set(1...60))
        #expect(reports.all.isEmpty)
    }
}
