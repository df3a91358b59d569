import Diagnostics
import Store
import Streams
import TestSupport
import Testing

@Suite(.offPool) struct RunsTests {
    private let folder: TemporaryFolder
    private let store: Store

    init() throws {
        folder = try TemporaryFolder()
        store = try Store.open(directory: folder.path) { Issue.record($0) }
    }

    private func add(_ ids: Range<UInt64>, time: Int64 = 1_700_000_000_000_000) throws {
        try store.commit(Commit(disagreements: ids.map { Samples.row(id: $0, time: time) }))
    }

    private func finish(
        _ outcome: RedistillationRun.Outcome, lastRow: Int64, isDryRun: Bool = false
    ) throws -> RedistillationRun {
        var run = try store.beginRun(started: 5, isDryRun: isDryRun)
        run.lastRow = lastRow
        run.outcome = outcome
        run.finished = 9
        try store.update(run)
        return run
    }

    @Test func comeBackAsTheyWere() throws {
        var run = try store.beginRun(started: 1_700_000_000_000_000, isDryRun: true)
        #expect(try store.runs(limit: 9) == [run])
        run.outcome = .refused
        run.finished = 1
        run.lastRow = .max
        run.content.reason = "'; DROP TABLE run; --\u{0}\u{1b}[2J<script>" + String(repeating: "长", count: 300_000)
        run.content.candidate = "v9"
        run.content.criteria = [
            GateCriterion(
                name: "accuracy", title: "Accuracy", measured: "−∞", threshold: "\"", result: .failed, note: "\u{202e}"
            )
        ]
        run.content.seconds = 1.5
        run.content.peakBytes = .max
        try store.update(run)
        #expect(try store.runs(limit: 1) == [run])
    }

    @Test func numbersAreNeverGivenTwice() throws {
        let first = try store.beginRun(started: 0, isDryRun: false)
        let second = try store.beginRun(started: 0, isDryRun: false)
        #expect(second.number > first.number)
        #expect(try store.runs(limit: 9).map(\.number) == [second.number, first.number])
    }

    /// Only runs that made use of the rows count: a dry one, a failed one and a killed one leave them new.
    @Test func newRowsCountFromTheLastRunThatUsedThem() throws {
        #expect(try store.newRows() == Store.NewRows(count: 0, lastRow: 0, since: nil))
        try add(0..<10)
        #expect(try store.newRows() == Store.NewRows(count: 10, lastRow: 10, since: nil))
        _ = try finish(.failed, lastRow: 10)
        _ = try finish(.interrupted, lastRow: 10)
        _ = try finish(.passed, lastRow: 10, isDryRun: true)
        _ = try finish(.refused, lastRow: 10, isDryRun: true)
        #expect(try store.newRows().count == 10)
        let refused = try finish(.refused, lastRow: 6)
        #expect(try store.newRows() == Store.NewRows(count: 4, lastRow: 10, since: refused.number))
        let promoted = try finish(.promoted, lastRow: 10)
        #expect(try store.newRows() == Store.NewRows(count: 0, lastRow: 10, since: promoted.number))
    }

    /// Rows go by their numbers: a clock that jumps back, or the newest rows being pruned, hides none.
    @Test func newRowsDoNotHangOnTheClock() throws {
        try add(0..<10, time: 2_000_000_000_000_000)
        _ = try finish(.promoted, lastRow: 10)
        #expect(try store.prune(keepDays: 1_000_000, keepRows: 0, now: 2_000_000_000_000_000) == 10)
        try add(10..<13, time: 1_000_000_000_000_000)
        #expect(try store.newRows() == Store.NewRows(count: 3, lastRow: 13, since: 1))
    }

    @Test func killedRunsAreClosed() throws {
        _ = try finish(.promoted, lastRow: 1)
        let killed = try store.beginRun(started: 3, isDryRun: false)
        #expect(try store.markInterruptedRuns(now: 7) == 1)
        let found = try #require(try store.runs(limit: 1).first)
        #expect(found.number == killed.number && found.outcome == .interrupted && found.finished == 7)
        #expect(try store.markInterruptedRuns(now: 8) == 0)
    }

    @Test(arguments: [0, 1, 63, 64, 65, 128, 200])
    func theNewestRowsComeInTheirOrder(_ count: Int) throws {
        try add(0..<150)
        var seen: [(UInt64, Int64)] = []
        let damaged = try store.forEachRow(newest: count, upTo: 140) { row, number in seen.append((row.id, number)) }
        let wanted = Array((0..<140).suffix(count))
        #expect(damaged == 0)
        #expect(seen.map { Int($0.0) } == wanted)
        #expect(seen.map { Int($0.1) } == wanted.map { $0 + 1 })
    }

    /// By the student's name; deferred lines don't count.
    @Test func auditsOfOneStudent() throws {
        let rows = (0..<100 as Range<UInt64>).map { id in
            Samples.row(
                id: id, student: 1, teacher: id % 4 == 0 ? 0 : 1, reason: id < 80 ? .audit : .deferred,
                models: (id % 2 == 0 ? "v1" : "v2", "t"))
        }
        try store.commit(Commit(disagreements: rows))
        #expect(try store.auditAgreement(student: "v1", limit: 1000) == Agreement(asked: 40, agreed: 20))
        #expect(try store.auditAgreement(student: "v2", limit: 1000) == Agreement(asked: 40, agreed: 40))
        #expect(try store.auditAgreement(student: "v1", limit: 3) == Agreement(asked: 3, agreed: 2))
        #expect(try store.auditAgreement(student: "v1", limit: 3, oldestFirst: true) == Agreement(asked: 3, agreed: 1))
        #expect(try store.auditAgreement(student: "v3", limit: 3) == Agreement())
    }

    /// Two teachers of one name are two: the same line may be judged by both.
    @Test func fingerprintsKeepTeachersApart() throws {
        var row = Samples.row(id: 1)
        row.teacherFingerprint = "aa"
        var other = row
        other.teacherFingerprint = "bb"
        try store.commit(Commit(disagreements: [row, other, row]))
        #expect(try Set(store.disagreements(limit: 9).map(\.teacherFingerprint)) == ["aa", "bb"])
    }

    @Test func whatPeopleSaidIsNotPruned() throws {
        try add(0..<10, time: 0)
        #expect(try store.setHumanLabel(id: 3, label: Samples.labels[2]) == .kept)
        #expect(try store.prune(keepDays: 1, keepRows: 0, now: 1_700_000_000_000_000) == 9)
        #expect(try store.disagreements(limit: 9).map(\.id) == [3])
    }
}
