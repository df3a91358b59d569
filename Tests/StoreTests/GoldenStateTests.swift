import Diagnostics
import Foundation
import Store
import Streams
import TestSupport
import Testing

/// States as earlier releases wrote them: later releases must go on from them.
///
/// `UNDERSTUDY_WRITE_GOLDENS=1 swift test --filter GoldenStateTests` makes the present release's anew, which is right only
/// as long as it hasn't gone out.
@Suite(.offPool) struct GoldenStateTests {
    private static let goldens = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Goldens")
    private static let present = "state-0.6"

    private static let commit = Commit(
        checkpoints: [
            Samples.checkpoint(inode: 1, offset: 4000, unanswered: [10, 20]), Samples.checkpoint("投稿", inode: 2),
        ],
        sinks: [
            Samples.sink(inode: 3, length: 123_456, born: 1_795_003_000_000_000_000, mark: .max - 7, isSettled: true)
        ],
        disagreements: [
            Samples.row(id: 0xA1, time: 1_795_003_200_000_000),
            Samples.row(
                id: 0xA2, time: 1_795_003_260_000_000, student: 1, teacher: 1, reason: .audit, text: "央行公布利率决定"),
            Samples.row(id: 0xA3, time: 1_795_003_320_000_000, student: 2, teacher: 0, text: "新款芯片\u{1b}[2J\"发布\""),
        ])

    @Test(arguments: ["state-0.1", "state-0.5", present])
    func aStateIsTakenUp(_ name: String) throws {
        let golden = Self.goldens.appendingPathComponent(name)
        if name == Self.present, ProcessInfo.processInfo.environment["UNDERSTUDY_WRITE_GOLDENS"] != nil {
            try? FileManager.default.removeItem(at: golden)
            let store = try Store.open(directory: golden.path) { _ in }
            try store.commit(Self.commit)
            try store.close()
            for name in ["lock", "state.sqlite-wal", "state.sqlite-shm"] {
                try? FileManager.default.removeItem(at: golden.appendingPathComponent(name))
            }
        }
        let folder = try TemporaryFolder()
        let bytes = try Data(contentsOf: golden.appendingPathComponent("state.sqlite"))
        try folder.write(Array(bytes), to: "state.sqlite")
        let reports = Reports()
        let store = try Store.open(directory: folder.path, report: reports.add)
        #expect(try Set(store.checkpoints().map(\.source)) == ["wire", "投稿"])
        #expect(try store.checkpoints(source: "wire") == [Self.commit.checkpoints[0]])
        let sinks = try store.sinkLengths()
        // Earlier releases knew files by device and inode alone.
        #expect(sinks == (name == Self.present ? Self.commit.sinks : [Samples.sink(inode: 3, length: 123_456)]))
        #expect(try store.disagreements(limit: 9).reversed() == Self.commit.disagreements)
        try store.commit(Self.commit)
        #expect(reports.all.isEmpty)
    }
}
