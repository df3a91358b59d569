import Diagnostics
import Store
import Streams
import TestSupport
import Testing

@Suite(.offPool) struct DisagreementTests {
    private static func store(_ rows: [DisagreementRow], in folder: TemporaryFolder) throws -> Store {
        let store = try Store.open(directory: folder.path) { _ in }
        try store.commit(Commit(disagreements: rows))
        return store
    }

    private static func ids(_ store: Store, _ filter: DisagreementFilter) throws -> [UInt64] {
        var ids: [UInt64] = []
        try store.forEachDisagreement(matching: filter) { row in
            ids.append(row.id)
            return true
        }
        return ids
    }

    @Test(arguments: [
        "普通的一行", "'); DROP TABLE disagreement; --", "<script>alert(1)</script>&amp;", "前\0后", "\u{1b}[2J\r\n\t\u{202e}",
        "", String(decoding: [0xE4, 0xB8, 0xFF, 0x41, 0xC0] as [UInt8], as: UTF8.self),
        String(repeating: "长", count: 350_000),
    ])
    func hostileTextComesBackAsItWas(text: String) throws {
        let folder = try TemporaryFolder()
        var row = Samples.row(id: .max, text: text, source: text, models: (text, text))
        row.labels = [text, "乙"]
        row.studentLabel = text
        row.teacherLabel = text
        row.humanLabel = text
        let store = try Self.store([row], in: folder)
        #expect(try store.disagreements(matching: DisagreementFilter(source: text), limit: 9) == [row])
        try store.commit(
            Commit(
                checkpoints: [Samples.checkpoint(text, inode: 1)],
                sinks: [Samples.sink(inode: 2, length: 1, sink: text)]))
        #expect(try store.checkpoints(source: text) == [Samples.checkpoint(text, inode: 1)])
        #expect(try store.sinkLengths().map(\.sink) == [text])
    }

    @Test func numbersComeBackAsTheyWere() throws {
        let folder = try TemporaryFolder()
        var row = Samples.row(id: 1, time: .min)
        row.studentLogits = [.infinity, -.infinity, -0.0, .leastNonzeroMagnitude]
        row.teacherLogits = []
        row.studentConfidence = -0.0
        row.teacherConfidence = 0.1
        let store = try Self.store([row], in: folder)
        #expect(try store.disagreements(limit: 9) == [row])
        // NaN equals nothing, so it is looked at by itself.
        row.id = 2
        row.studentConfidence = .nan
        row.teacherLogits = [.nan]
        try store.commit(Commit(disagreements: [row]))
        let read = try #require(try store.disagreements(limit: 9).first)
        #expect(read.studentConfidence.isNaN && read.teacherLogits[0].isNaN)
    }

    @Test func aLineThatIsAnsweredAgainIsKeptOnce() throws {
        let folder = try TemporaryFolder()
        let store = try Self.store([Samples.row(id: 1), Samples.row(id: 1)], in: folder)
        #expect(try store.setHumanLabel(id: 1, label: Samples.labels[2]) == .kept)
        try store.commit(Commit(disagreements: [Samples.row(id: 1, time: 5)]))
        #expect(try store.disagreements(limit: 9) == [Samples.row(id: 1, human: Samples.labels[2])])
        // Another student's answer is another row.
        try store.commit(Commit(disagreements: [Samples.row(id: 1, models: ("学生-2", "老师-1"))]))
        #expect(try store.disagreements(limit: 9).count == 2)
    }

    @Test func filtersChoose() throws {
        let folder = try TemporaryFolder()
        let rows = [
            Samples.row(id: 1, time: 10, student: 0, teacher: 1), Samples.row(id: 2, time: 20, student: 1, teacher: 1),
            Samples.row(id: 3, time: 30, student: 0, teacher: 2, reason: .audit),
            Samples.row(id: 4, time: 30, student: 0, teacher: 1, source: "投稿", human: Samples.labels[0]),
            Samples.row(id: 5, time: 5, student: 2, teacher: 0, reason: .audit),
        ]
        let store = try Self.store(rows, in: folder)
        #expect(try Self.ids(store, DisagreementFilter()) == [5, 1, 2, 3, 4])
        #expect(try Self.ids(store, DisagreementFilter(since: 20)) == [2, 3, 4])
        #expect(try Self.ids(store, DisagreementFilter(until: 20)) == [5, 1])
        #expect(try Self.ids(store, DisagreementFilter(reason: .audit)) == [5, 3])
        #expect(try Self.ids(store, DisagreementFilter(source: "投稿")) == [4])
        #expect(try Self.ids(store, DisagreementFilter(studentLabel: Samples.labels[0])) == [1, 3, 4])
        #expect(
            try Self.ids(
                store, DisagreementFilter(studentLabel: Samples.labels[0], teacherLabel: Samples.labels[1])) == [1, 4])
        #expect(try Self.ids(store, DisagreementFilter(onlyDisagreements: true)) == [5, 1, 3, 4])
        #expect(try Self.ids(store, DisagreementFilter(onlyUnlabelled: true)) == [5, 1, 2, 3])
        #expect(try Self.ids(store, DisagreementFilter(source: "nobody' OR 1=1 --")) == [])
        #expect(
            try store.disagreements(matching: DisagreementFilter(onlyDisagreements: true), limit: 2).map(\.id) == [
                4, 3,
            ])
        #expect(try store.disagreements(limit: -1).isEmpty)
    }

    /// Several pages, many rows of the same moment, and an end in the middle.
    @Test func everyRowIsGivenOnceInOrder() throws {
        let folder = try TemporaryFolder()
        let rows = (0..<500 as Range<UInt64>).map { Samples.row(id: $0, time: Int64($0 * 7 % 3)) }
        let store = try Self.store(rows, in: folder)
        let ids = try Self.ids(store, DisagreementFilter())
        #expect(ids == rows.sorted { ($0.time, $0.id) < ($1.time, $1.id) }.map(\.id))
        var seen = 0
        try store.forEachDisagreement { _ in
            seen += 1
            return seen < 100
        }
        #expect(seen == 100)
    }

    @Test func humanLabels() throws {
        let folder = try TemporaryFolder()
        let store = try Self.store(
            [Samples.row(id: 1), Samples.row(id: 1, models: ("学生-2", "老师-1")), Samples.row(id: 2)], in: folder)
        let outcomes = try store.setHumanLabels([
            HumanLabel(id: 1, label: Samples.labels[2]), HumanLabel(id: 3, label: Samples.labels[0]),
            HumanLabel(id: 2, label: "政治"),
        ])
        #expect(outcomes == [.kept, .unknownID, .unknownLabel(known: Samples.labels)])
        #expect(try store.disagreements(limit: 9).map(\.humanLabel) == [nil, Samples.labels[2], Samples.labels[2]])
        #expect(try store.setHumanLabel(id: 1, label: nil) == .kept)
        #expect(try store.disagreements(limit: 9).allSatisfy { $0.humanLabel == nil })
    }
}
