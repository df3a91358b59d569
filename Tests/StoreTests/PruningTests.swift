import Diagnostics
import Store
import TestSupport
import Testing

@Suite(.offPool) struct PruningTests {
    private static let now: Int64 = 1_795_000_000_000_000

    /// 2,000 rows, one an hour, the last one now.
    private static func store(in folder: TemporaryFolder) throws -> Store {
        let store = try Store.open(directory: folder.path) { _ in }
        let text = String(repeating: "运河游船", count: 100)
        try store.commit(
            Commit(
                disagreements: (0..<2000 as Range<UInt64>).map {
                    Samples.row(id: $0, time: now - Int64(1999 - $0) * TimeText.hour, text: text)
                }))
        return store
    }

    private static func ids(_ store: Store) throws -> [UInt64] {
        try store.disagreements(limit: .max).map(\.id).reversed()
    }

    @Test func byAge() throws {
        let folder = try TemporaryFolder()
        let store = try Self.store(in: folder)
        // The row that is exactly ten days old stays.
        #expect(try store.prune(keepDays: 10, keepRows: 5000, now: Self.now) == 2000 - 241)
        #expect(try Self.ids(store) == Array(1759..<2000))
        #expect(try store.prune(keepDays: 10, keepRows: 5000, now: Self.now) == 0)
    }

    @Test func byNumber() throws {
        let folder = try TemporaryFolder()
        let store = try Self.store(in: folder)
        #expect(try store.prune(keepDays: .max, keepRows: 1200, now: Self.now) == 800)
        #expect(try Self.ids(store) == Array(800..<2000))
        #expect(try store.prune(keepDays: .max, keepRows: 0, now: Self.now) == 1200)
        #expect(try Self.ids(store).isEmpty)
    }

    @Test func theFileBecomesSmaller() throws {
        let folder = try TemporaryFolder()
        let store = try Self.store(in: folder)
        for round in 1...3 as ClosedRange<UInt64> {
            try store.commit(
                Commit(
                    disagreements: (0..<2000 as Range<UInt64>).map {
                        Samples.row(id: round * 10_000 + $0, text: String(repeating: "长", count: 1500))
                    }))
        }
        try store.close()
        let before = folder.bytes(of: "state.sqlite")?.count ?? 0
        let again = try Store.open(directory: folder.path) { _ in }
        try again.prune(keepDays: .max, keepRows: 10, now: Self.now)
        try again.close()
        let after = folder.bytes(of: "state.sqlite")?.count ?? 0
        #expect(before > 20 << 20)
        // Four mebibytes of free pages stay for the next rows.
        #expect(after < 5 << 20)
    }
}
