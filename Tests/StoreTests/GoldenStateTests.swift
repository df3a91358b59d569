import Diagnostics
import Foundation
import Store
import Streams
import TestSupport
import Testing

/// A state as release 0.1 wrote it: later releases must go on from it.
///
/// `UNDERSTUDY_WRITE_GOLDENS=1 swift test --filter GoldenStateTests` makes it anew, which is right only as long as no
/// release has gone out.
@Suite struct GoldenStateTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Goldens/state-0.1")

    private static let commit = Commit(
        checkpoints: [
            Samples.checkpoint(inode: 1, offset: 4000, unanswered: [10, 20]), Samples.checkpoint("投稿", inode: 2),
        ],
        sinks: [Samples.sink(inode: 3, length: 123_456)],
        disagreements: [
            Samples.row(id: 0xA1, time: 1_795_003_200_000_000),
            Samples.row(
                id: 0xA2, time: 1_795_003_260_000_000, student: 1, teacher: 1, reason: .audit, text: "央行公布利率决定"),
            Samples.row(id: 0xA3, time: 1_795_003_320_000_000, student: 2, teacher: 0, text: "新款芯片\u{1b}[2J\"发布\""),
        ])

    @Test func aStateOfRelease01IsTakenUp() throws {
        if ProcessInfo.processInfo.environment["UNDERSTUDY_WRITE_GOLDENS"] != nil {
            try? FileManager.default.removeItem(at: Self.folder)
            let store = try Store.open(directory: Self.folder.path) { _ in }
            try store.commit(Self.commit)
            try store.close()
            for name in ["lock", "state.sqlite-wal", "state.sqlite-shm"] {
                try? FileManager.default.removeItem(at: Self.folder.appendingPathComponent(name))
            }
        }
        let folder = try TemporaryFolder()
        let golden = try Data(contentsOf: Self.folder.appendingPathComponent("state.sqlite"))
        try folder.write(Array(golden), to: "state.sqlite")
        let reports = Reports()
        let store = try Store.open(directory: folder.path, report: reports.add)
        #expect(try Set(store.checkpoints().map(\.source)) == ["wire", "投稿"])
        #expect(try store.checkpoints(source: "wire") == [Self.commit.checkpoints[0]])
        #expect(try store.sinkLengths() == Self.commit.sinks)
        #expect(try store.disagreements(limit: 9).reversed() == Self.commit.disagreements)
        try store.commit(Self.commit)
        #expect(reports.all.isEmpty)
    }
}
