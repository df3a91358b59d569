import Diagnostics
import Store
import Streams
import TestSupport
import Testing

/// Rows changed behind the seals' back, in a file that SQLite finds nothing wrong with.
@Suite(.offPool, .enabled(if: Sqlite3.isThere, "needs the sqlite3 shell")) struct TamperingTests {
    /// A state of five files, one sink and one disagreement, after `script`.
    private static func state(after script: String, in folder: TemporaryFolder) throws {
        let store = try Store.open(directory: folder.path) { _ in }
        try store.commit(
            Commit(
                checkpoints: (1...5 as ClosedRange<UInt64>).map { Samples.checkpoint(inode: $0, offset: 100) },
                sinks: [Samples.sink(inode: 1, length: 500)], disagreements: [Samples.row(id: 1), Samples.row(id: 2)]))
        try store.close()
        try Sqlite3(folder.file("state.sqlite"), script).end()
    }

    @Test(arguments: [
        ("UPDATE checkpoint SET offset = 101 WHERE inode = 3", 4), ("DELETE FROM checkpoint WHERE inode = 3", 4),
        ("UPDATE sink SET length = 499", 5), ("DELETE FROM sink", 5), ("DELETE FROM total", 5),
        ("UPDATE total SET sum = 0", 5), ("UPDATE total SET seal = seal + 1", 5),
        ("UPDATE checkpoint SET path = NULL OR 7 WHERE inode = 1", 4),
        ("UPDATE schema SET number = 99", 5), ("DELETE FROM schema", 5), ("DROP TABLE sink", 5),
        ("DELETE FROM grdb_migrations", 5),
    ])
    func aChangedRowIsNoticed(script: String, kept: Int) throws {
        let folder = try TemporaryFolder()
        try Self.state(after: script, in: folder)
        let reports = Reports()
        // As if the database were large: not every page is looked at.
        let store = try Store.open(directory: folder.path, wholeCheck: 0, report: reports.add)
        #expect(folder.names.contains { $0.hasPrefix("state.sqlite.damaged-") })
        #expect(!reports.all.isEmpty)
        let checkpoints = try store.checkpoints()
        #expect(checkpoints.count == kept)
        #expect(checkpoints.allSatisfy { $0 == Samples.checkpoint(inode: $0.file.inode, offset: 100) })
        // A length is kept only where everything else shows that it is the right one.
        #expect(try store.sinkLengths().allSatisfy { $0 == Samples.sink(inode: 1, length: 500) })
        if script.contains("checkpoint") || script.contains("total") { #expect(try store.sinkLengths().isEmpty) }
        #expect(try store.disagreements(limit: 9).map(\.id) == [2, 1])
    }

    /// What isn't this program's own: commits would fail over it, or keep something else.
    @Test(arguments: [
        "ALTER TABLE sink RENAME TO hidden; CREATE VIEW sink AS SELECT * FROM hidden",
        "ALTER TABLE checkpoint RENAME TO hidden; CREATE VIEW checkpoint AS SELECT * FROM hidden",
        "ALTER TABLE total RENAME TO hidden; CREATE VIEW total AS SELECT * FROM hidden",
        "ALTER TABLE disagreement RENAME TO hidden; CREATE VIEW disagreement AS SELECT * FROM hidden",
        "CREATE TRIGGER extra AFTER INSERT ON sink BEGIN DELETE FROM sink; END",
        "CREATE UNIQUE INDEX extra ON sink (sink)", "CREATE TABLE extra (a)", "DROP INDEX disagreement_time",
        "DROP TABLE run", "ALTER TABLE run ADD COLUMN extra",
    ])
    func aStrangeSchemaIsSetAside(script: String) throws {
        let folder = try TemporaryFolder()
        try Self.state(after: script, in: folder)
        let reports = Reports()
        let store = try Store.open(directory: folder.path, wholeCheck: 0, report: reports.add)
        #expect(folder.names.contains { $0.hasPrefix("state.sqlite.damaged-") })
        #expect(!reports.all.isEmpty)
        // All rows hold, so nothing is lost and nothing comes twice.
        #expect(try store.checkpoints().count == 5)
        #expect(try store.sinkLengths() == [Samples.sink(inode: 1, length: 500)])
        try store.register(Samples.sink(inode: 2, length: 7))
        try store.close()
        #expect(try Store.open(directory: folder.path) { _ in }.sinkLengths().count == 2)
    }

    /// Changed while the daemon runs: an error that says what to do, never an internal one.
    @Test func aTriggerThatComesLaterIsNoInternalFailure() throws {
        let folder = try TemporaryFolder()
        let store = try Store.open(directory: folder.path) { _ in }
        try Sqlite3(
            folder.file("state.sqlite"),
            "CREATE TRIGGER extra BEFORE INSERT ON sink BEGIN SELECT RAISE(ABORT, 'no'); END"
        ).end()
        let error = #expect(throws: UnderstudyError.self) { try store.register(Samples.sink(inode: 1, length: 5)) }
        #expect(error?.code == .inputOutput && error?.message.contains("restart the daemon") == true)
    }

    @Test func aChangedRowOfTheLogIsLeftOut() throws {
        let folder = try TemporaryFolder()
        try Self.state(after: "UPDATE disagreement SET text = 'anders' WHERE id = 1", in: folder)
        let reports = Reports()
        let store = try Store.open(directory: folder.path, wholeCheck: 0, report: reports.add)
        #expect(try store.checkpoints().count == 5)
        #expect(try store.sinkLengths().count == 1)
        #expect(reports.all.isEmpty)
        #expect(try store.disagreements(limit: 9).map(\.id) == [2])
        #expect(reports.all.count == 1)
    }
}
