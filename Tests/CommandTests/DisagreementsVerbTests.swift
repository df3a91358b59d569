import Foundation
import TestSupport
import Testing

/// The log of the state that the Store room's tests keep: three lines, two of which the models disagree on.
@Suite(.offPool) struct DisagreementsVerbTests {
    /// A copy of that state, removed with the value.
    private final class State {
        let path: String

        init() throws {
            path = NSTemporaryDirectory() + "understudy-log-" + UUID().uuidString
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let golden = Program.repository.appendingPathComponent("Tests/StoreTests/Goldens/state-0.6/state.sqlite")
            try FileManager.default.copyItem(at: golden, to: URL(fileURLWithPath: path + "/state.sqlite"))
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func run(_ arguments: [String], input: String = "") throws -> Program.Result {
            try Program.run(
                ["disagreements", arguments[0], "--state", path] + arguments.dropFirst(), input: Array(input.utf8))
        }
    }

    @Test func list() throws {
        let state = try State()
        let some = try state.run(["list"])
        #expect(some.status == 0 && some.errors.isEmpty)
        #expect(some.outputLines.count == 3)
        #expect(some.outputLines[1].hasPrefix("2026-11-18 12:02  00000000000000a3  deferred  科技"))
        #expect(some.outputLines[1].hasSuffix("新款芯片\\u{1b}[2J\"发布\""))
        #expect(try state.run(["list", "--all"]).outputLines.count == 4)
        #expect(try state.run(["list", "--limit", "1"]).outputLines.count == 2)
        #expect(try state.run(["list", "--pair", "体育:财经"]).outputLines.count == 2)
        #expect(try state.run(["list", "--since", "2026-11-18T12:01", "--until", "2026-11-18T12:02"]).output.isEmpty)
        #expect(try state.run(["list", "--all", "--reason", "audit"]).outputLines.count == 2)
    }

    @Test func stats() throws {
        let state = try State()
        let text = try state.run(["stats"])
        #expect(text.status == 0)
        #expect(text.output.contains("33.3 %") && text.output.contains("no human labels yet"))
        let json = try state.run(["stats", "--json"])
        let read = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect(read?["all"] as? [String: Int] == ["rows": 3, "agreed": 1])
    }

    @Test func labelsFromAFileReachTheExport() throws {
        let state = try State()
        let labels = """
            {"id":"00000000000000a1","label":"科技"}
            {"id":"ff","label":"科技"}
            {"id":"a3","label":"政治"}
            """
        let kept = try state.run(["label", "--from", "-"], input: labels)
        #expect(kept.status == 65)
        try #require(kept.errorLines.count == 4)
        #expect(kept.errorLines[0].hasPrefix("standard input:2: "))
        #expect(kept.errorLines[1].hasPrefix("standard input:3: "))
        #expect(kept.errorLines[2] == "1 label saved")

        let whole = try state.run(["export"])
        #expect(whole.status == 0)
        let rows = try whole.outputLines.map {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
        }
        #expect(rows.map { $0["id"] as? String } == ["00000000000000a1", "00000000000000a2", "00000000000000a3"])
        #expect(rows.map { $0["human_label"] as? String } == ["科技", nil, nil])
        let training = try state.run(["export", "--as-training", "--only-disagreements"])
        #expect(
            training.outputLines == [
                "{\"text\":\"球队客场取胜，主帅称赞替补门将\",\"label\":\"科技\"}",
                "{\"text\":\"新款芯片\\u001b[2J\\\"发布\\\"\",\"label\":\"体育\"}",
            ])
    }

    @Test func refusals() throws {
        let state = try State()
        let asked = try state.run(["label"])
        #expect(asked.status == 64 && asked.errors.contains("--from"))
        #expect(try state.run(["label", "--from", "/nonexistent"]).status == 66)
        #expect(try state.run(["list", "--since", "soon"]).status == 64)
        #expect(try Program.run(["disagreements", "list"]).status == 64)
        #expect(try Program.run(["disagreements", "stats", "--state", "/nonexistent"]).status == 66)
    }
}
