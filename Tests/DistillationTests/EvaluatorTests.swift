import Diagnostics
import Distillation
import Models
import Synchronization
import Testing

@Suite struct EvaluatorTests {
    static let labels = ["car", "culture", "edu", "game", "sports"]

    @Test(arguments: [1, 2, 7])
    func logitsComeBackInTheOrderOfTheLines(threads: Int) throws {
        let data = FakeData.lines(labels: Self.labels, count: 333)
        let record = FakeClassifier.BatchRecord()
        let model = FakeClassifier(labels: Self.labels, version: "fake", skill: 0.8, record: record)
        var evaluator = Evaluator()
        evaluator.threads = threads
        let logits = try evaluator.logits(of: data, by: model)
        #expect(logits == (0..<333).flatMap { model.logits(data.text($0)) })
        #expect(record.sizes.withLock { $0.sorted() } == [13] + Array(repeating: 32, count: 10))
        #expect(record.scorers.withLock { $0 } <= threads)
    }

    @Test func timesComeFromTheClock() throws {
        let data = FakeData.lines(labels: Self.labels, count: 100)
        let model = FakeClassifier(labels: Self.labels, version: "fake", skill: 0.8)
        var evaluator = Evaluator()
        evaluator.latencyLines = 20
        let scored = try evaluator.score(data, by: model, clock: SteppingClock(step: .milliseconds(10)))
        #expect(scored.duration == .milliseconds(10))
        #expect(scored.linesPerSecond == 10_000)
        #expect(scored.latencies == Array(repeating: .milliseconds(10), count: 20))
    }

    @Test func percentilesAreNearestRanks() {
        let scored = ScoredLines(
            logits: [], labelCount: 2, threads: 1, duration: .zero,
            latencies: (1...200).reversed().map { .milliseconds($0) })
        #expect(scored.latency(percentile: 0.5) == .milliseconds(100))
        #expect(scored.latency(percentile: 0.99) == .milliseconds(198))
        #expect(scored.latency(percentile: 1) == .milliseconds(200))
        #expect(scored.latency(percentile: 0) == .milliseconds(1))
        #expect(scored.linesPerSecond == 0)
        let none = ScoredLines(logits: [], labelCount: 2, threads: 1, duration: .zero, latencies: [])
        #expect(none.latency(percentile: 0.5) == nil)
    }

    @Test func logitsThatArentNumbersAreRefused() throws {
        let data = DataSet(labels: Self.labels, lines: LineBatch(["car 1", "edu broken"]), labelIndices: [0, 2])
        let model = FakeClassifier(labels: Self.labels, version: "v3", skill: 1, breaks: true)
        do {
            _ = try Evaluator().logits(of: data, by: model)
            Issue.record("damaged logits were taken")
        } catch {
            #expect(error.code == .invalidData)
            #expect(error.message.contains("v3") && error.message.contains("row 2"))
        }
    }

    /// A model outside of the process.
    private struct Failing: LineClassifier {
        let labels = EvaluatorTests.labels
        let version = "remote"

        func makeScorer() -> any LineScorer { Scorer() }

        private final class Scorer: LineScorer {
            func score(
                _ batch: LineBatch, into logits: UnsafeMutableBufferPointer<Float>, deadline: UInt64?
            ) throws(UnderstudyError) { throw UnderstudyError(.tryAgain, "the model can't be reached") }
        }
    }

    @Test(arguments: [1, 3]) func theErrorOfAModelThatFailsIsThrown(threads: Int) {
        let data = FakeData.lines(labels: Self.labels, count: 333)
        var evaluator = Evaluator()
        evaluator.threads = threads
        let error = #expect(throws: UnderstudyError.self) { try evaluator.logits(of: data, by: Failing()) }
        #expect(error?.code == .tryAgain)
    }

    @Test func progressIsReported() throws {
        let written = Mutex("")
        let meter = ProgressMeter(
            style: .lines(every: .seconds(1)), now: { .zero }, write: { text in written.withLock { $0 += text } })
        let data = FakeData.lines(labels: Self.labels, count: 70)
        _ = try Evaluator().score(
            data, by: FakeClassifier(labels: Self.labels, version: "fake", skill: 1),
            clock: SteppingClock(step: .seconds(1)), stage: "student", progress: meter)
        #expect(written.withLock { $0 } == "student: 70 lines in 0:00\n")
    }

    @Test func noLinesGiveNoLogits() throws {
        let empty = DataSet(labels: Self.labels, lines: LineBatch(), labelIndices: [])
        let model = FakeClassifier(labels: Self.labels, version: "fake", skill: 1)
        let scored = try Evaluator().score(empty, by: model, clock: ContinuousClock())
        #expect(scored.logits.isEmpty && scored.latencies.isEmpty)
    }
}
