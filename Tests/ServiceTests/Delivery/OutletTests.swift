import Cascade
import Models
import Service
import Store
import Streams
import TestSupport
import Testing

/// What comes together in the outlet: which answers go where, in which order, and what is kept of them.
@Suite(.offPool) struct OutletTests {
    private let all = "  - {name: all, kind: file, path: FOLDER/all.tsv, format: tsv}"

    private func lines(_ count: Int) -> [[UInt8]] { (0..<count).map { Array("第\($0)条：桥梁通车".utf8) } }

    private func texts(_ lines: [[UInt8]]) -> [String] { lines.map { String(decoding: $0, as: UTF8.self) } }

    private func models(auditShare: Double = 0) throws -> CascadeModels {
        let teacher = auditShare > 0 ? TeacherSource(HashClassifier(version: "t", salt: 9)) : nil
        return try CascadeModels(
            student: HashClassifier(), teacher: teacher, decider: LineDecider(.fixed(.never), auditShare: auditShare))
    }

    /// Gives all of its labels the same logit.
    private struct Undecided: LineClassifier {
        let labels = ["sports", "culture"]
        let version = "u"

        func makeScorer() -> any LineScorer { Scorer() }

        private final class Scorer: LineScorer {
            func score(_ batch: LineBatch, into logits: UnsafeMutableBufferPointer<Float>, deadline: UInt64?) {
                logits.update(repeating: 0)
            }
        }
    }

    /// A flow that takes nothing and says so.
    private final class Interrupted: FlowSink {
        let name = "flow"
        private let calls = Monitor(0)

        func deliver(_ bytes: UnsafeBufferPointer<UInt8>, records: Int) -> FlowOutcome {
            calls.withLock { $0 += 1 }
            return .interrupted
        }

        func interrupt() {}

        var count: Int { calls.withLock { $0 } }
    }

    /// A confidence on a bound is counted at it, as `le` says, all the way to the metrics.
    @Test func confidencesOnABoundAreCountedThere() throws {
        let models = try CascadeModels(student: Undecided(), decider: LineDecider(.fixed(.never)))
        let stage = try Stage(all, models: models)
        try stage.open(FileLane("s", [FileLane.File(inode: 1, lines: lines(40))], seed: 1))
        stage.finish()
        let text = PrometheusText.render(stage.metrics.reading().families)
        #expect(text.contains("understudy_confidence_bucket{le=\"0.45\"} 0\n"))
        #expect(text.contains("understudy_confidence_bucket{le=\"0.5\"} 40\n"))
    }

    /// Flows first: a job that a flow didn't take is in no file, and its lines don't count as answered.
    @Test func aJobThatAFlowDidNotTakeIsNotKept() throws {
        let flow = Interrupted()
        let stage = try Stage(
            all + "\n  - {name: flow, kind: fifo, path: FOLDER/pipe}", models: models(), flows: ["flow": flow])
        try stage.open(FileLane("s", [FileLane.File(inode: 1, lines: lines(30))], seed: 2))
        stage.finish()
        #expect(flow.count == 1)
        #expect(stage.folder.bytes(of: "all.tsv")?.isEmpty ?? true)
        #expect(stage.store.history.allSatisfy { $0.positions.values.allSatisfy { $0.offset == 0 } })
    }

    @Test func aSinkTakesTheAnswersOfItsSourcesOnly() throws {
        let stage = try Stage(
            all + "\n  - {name: own, kind: file, path: FOLDER/own.tsv, format: tsv, sources: [in]}", models: models())
        let own = lines(20)
        let others = (0..<20).map { Array("另一路第\($0)条".utf8) }
        try stage.open(FileLane("in", [FileLane.File(inode: 1, lines: own)], seed: 3))
        try stage.open(FileLane("other", [FileLane.File(inode: 2, lines: others)], seed: 4))
        stage.finish()
        #expect(stage.texts("own.tsv") == texts(own))
        #expect(stage.texts("all.tsv").sorted() == texts(own + others).sorted())
    }

    /// Lines that an earlier run had left are answered by jobs that aren't late ones: then nothing is left any more.
    @Test(arguments: [true, false])
    func linesLeftByAnEarlierRunAreLeftNoMore(isOrdered: Bool) throws {
        let stage = try Stage(all, models: models())
        let own = lines(60)
        let file = FileLane.File(inode: 1, lines: own, passed: 40, left: [3, 4, 17, 39])
        let source = FileLane("s", [file], seed: 5)
        try stage.open(source, isOrdered: isOrdered)
        stage.finish()
        #expect(stage.texts("all.tsv") == texts([3, 4, 17, 39].map { own[$0] } + own[40...]))
        let position = try #require(stage.store.history.last?.positions.values.first)
        #expect(position.isFinished && position.unanswered.isEmpty)
        #expect(position.offset == UInt64(file.bytes.count) && position.line == 61)
    }

    /// The status shows where the two models differ, the newest first, and no more than it has room for.
    @Test func theNewestDisagreementsAreShown() throws {
        let stage = try Stage(all, models: models(auditShare: 1)) { $0.teacherLines = 1000 }
        try stage.open(FileLane("s", [FileLane.File(inode: 1, lines: lines(120))], seed: 6))
        stage.finish()
        let differing = stage.store.rows.filter { $0.studentLabel != $0.teacherLabel }
        #expect(differing.count > 25 && differing.count < stage.store.rows.count)
        let shown = stage.outlet.recentDisagreements
        #expect(shown.map(\.text) == differing.suffix(20).reversed().map(\.text))
        #expect(shown.allSatisfy { $0.studentLabel != $0.teacherLabel && $0.reason == "audit" })
    }
}
