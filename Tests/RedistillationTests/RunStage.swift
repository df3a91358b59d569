import Configuration
import Diagnostics
import Distillation
import Foundation
import Models
import Redistillation
import Store
import Streams
import Synchronization
import TestSupport
import Text

/// Everything that a run of re-distillation needs, in a folder of its own: a log, a base transfer set, a holdout, a tiny
/// student that was taught next to nothing, and a teacher that knows the rule by which lines have labels.
final class RunStage: Sendable {
    static let labels = ["sports", "money"]
    /// A line with the first of these letters is about sports, one with the second about money.
    private static let marks = ["球", "股"]

    /// A line and the index of its label.
    struct Line: Sendable {
        var text: String
        var label: Int
    }

    /// Random lines that have nothing in common but their marks.
    static func lines(_ count: Int, seed: UInt64) -> [Line] {
        var random = SplitMix(seed: seed)
        return (0..<count).map { number in
            let label = number % labels.count
            var letters = (0..<11).map { _ in
                String(UnicodeScalar(0x4E00 + UInt32.random(in: 0..<120, using: &random)).map(Character.init) ?? "一")
            }
            letters.insert(marks[label], at: Int.random(in: 0...letters.count, using: &random))
            return Line(text: letters.joined(), label: label)
        }
    }

    /// Says the label of a line's mark, or with `isTurned` always the other one; notes each text that it is asked about.
    /// Its labels are in another order than the student's.
    final class Teacher: LineClassifier {
        let labels: [String]
        let version = "rule"
        private let isTurned: Bool
        private let texts = Mutex<[String]>([])
        private let whenAsked: @Sendable () -> Void

        init(
            labels: [String] = RunStage.labels.reversed(), isTurned: Bool = false,
            whenAsked: @escaping @Sendable () -> Void = {}
        ) {
            self.labels = labels
            self.isTurned = isTurned
            self.whenAsked = whenAsked
        }

        /// All texts that it was asked about, once for each time.
        var asked: [String] { texts.withLock { $0 } }

        func forget() { texts.withLock { $0 = [] } }

        func makeScorer() -> any LineScorer { Scorer(self) }

        private final class Scorer: LineScorer {
            private let teacher: Teacher
            init(_ teacher: Teacher) { self.teacher = teacher }

            func score(_ batch: LineBatch, into logits: UnsafeMutableBufferPointer<Float>, deadline: UInt64?) {
                teacher.whenAsked()
                let count = teacher.labels.count
                batch.forEachLine { line, bytes in
                    let text = String(decoding: bytes, as: UTF8.self)
                    teacher.texts.withLock { $0.append(text) }
                    let isSports = text.contains(RunStage.marks[0]) != teacher.isTurned
                    for (column, label) in teacher.labels.enumerated() {
                        logits[line * count + column] = (label == RunStage.labels[0]) == isSports ? 4 : -4
                    }
                }
            }
        }
    }

    let folder: TemporaryFolder
    /// Lines of the holdout, of the base transfer set and of the log.
    let holdout = RunStage.lines(120, seed: 1)
    let base = RunStage.lines(120, seed: 2)
    let log = RunStage.lines(260, seed: 3)
    let settings: Settings

    /// `options` are further lines of the block `redistill`, `gate` of the gate in it; speed and calibration are left out
    /// of the gate, since a loaded machine and a student of a few weights would decide them by chance.
    init(options: [String] = [], gate: [String] = []) throws {
        folder = try TemporaryFolder()
        let path = folder.path
        let text = """
            models: {student: \(path)/student, teacher: \(path)/teacher}
            state: {directory: \(path)/state}
            sources: [{name: in, kind: stdin}]
            sinks: [{name: out, kind: stdout}]
            redistill:
              train: \(path)/train.jsonl
              holdout: \(path)/holdout.jsonl
              minimum_new_rows: 200
              epochs: 24
              learning_rate: 0.02
              held_out_share: 0.2
              \(options.joined(separator: "\n  "))
              gate: {maximum_slowdown: 1, maximum_calibration_error: 1\(gate.map { ", " + $0 }.joined())}
            """
        settings = try ConfigurationFile.read(Array(text.utf8), path: "test.yaml", environment: [:])
        try Self.write(holdout, to: folder.file("holdout.jsonl"))
        try Self.write(base, to: folder.file("train.jsonl"))
        try makeTeacher("one")
        try makeStudent()
    }

    private static func write(_ lines: [Line], to path: String) throws {
        let rows = lines.map { "{\"text\":\"\($0.text)\",\"label\":\"\(labels[$0.label])\"}\n" }
        try Data(rows.joined().utf8).write(to: URL(fileURLWithPath: path))
    }

    // MARK: Models

    var studentDirectory: String { folder.file("student") }
    var teacherDirectory: String { folder.file("teacher") }

    /// A model directory whose fingerprint is that of `content`; the teacher itself is given to the run.
    func makeTeacher(_ content: String) throws {
        try FileManager.default.createDirectory(atPath: teacherDirectory, withIntermediateDirectories: true)
        try ModelDirectory.write("{}\n", to: ModelDirectory.configuration, in: teacherDirectory)
        try ModelDirectory.write(content, to: ModelDirectory.weights, in: teacherDirectory)
    }

    var teacherFingerprint: String { get throws { try Fingerprint.of(model: teacherDirectory) } }

    /// `knowsRule`: taught by the base lines' labels; otherwise no step changes anything, and it guesses.
    func makeStudent(knowsRule: Bool = false) throws {
        var counter = CharacterCounter()
        for line in holdout + base + log { counter.add(line.text.utf8) }
        let tokenizer = try LoadedTokenizer.characters(try counter.vocabulary(minimumCount: 1), maximumLength: 40)
        var recipe = StudentRecipe()
        recipe.version = "first"
        recipe.embeddings = .random
        (recipe.embeddingSize, recipe.hiddenSize, recipe.denseSize, recipe.shortcutBits) = (8, 8, 8, 10)
        recipe.precision = "f32"
        // It would be taught whatever the rate.
        recipe.earlyExit = false
        recipe.training.threads = 1
        recipe.training.epochs = knowsRule ? 30 : 1
        recipe.training.optimizer.learningRate = knowsRule ? 0.02 : 1e-12
        recipe.training.loss = DistillationLoss(kind: .kl, labelShare: 1, temperature: 1)
        func data(_ lines: [Line]) -> DataSet {
            DataSet(
                labels: Self.labels, lines: LineBatch(lines.map(\.text)), labelIndices: lines.map { Int32($0.label) })
        }
        let material = StudentDistiller.Material(
            train: data(base), validation: data(Self.lines(40, seed: 4)), tokenizer: tokenizer)
        let result = try StudentDistiller(recipe, progress: .silent).run(material)
        try? FileManager.default.removeItem(atPath: studentDirectory)
        try FileManager.default.createDirectory(atPath: studentDirectory, withIntermediateDirectories: true)
        try StudentFiles.write(result.configuration, result.weights, tokenizer: tokenizer, to: studentDirectory)
    }

    /// The share of the holdout's lines whose label the student in `directory` knows.
    func accuracy(_ directory: String) throws -> Double {
        let student = try StudentFiles.load(directory: directory)
        let lines = DataSet(
            labels: Self.labels, lines: LineBatch(holdout.map(\.text)), labelIndices: holdout.map { Int32($0.label) })
        let predictions = Predictions(
            logits: try Evaluator().logits(of: lines, by: student), labelCount: Self.labels.count)
        return Double(predictions.correct(lines.labelIndices).count { $0 }) / Double(lines.count)
    }

    // MARK: The log

    /// A daemon's state whose log has `count` of the log's lines, as a teacher with `fingerprint` judged them; of the present
    /// teacher if it is nil.
    func makeLog(_ count: Int? = nil, fingerprint: String? = nil, isTurned: Bool = false) throws {
        let fingerprint = try fingerprint ?? teacherFingerprint
        let store = try Store.open(directory: folder.file("state")) { _ in }
        let rows = log.prefix(count ?? log.count).enumerated().map { number, line in
            let said = isTurned ? 1 - line.label : line.label
            let logits: [Float] = said == 0 ? [4, -4] : [-4, 4]
            var row = DisagreementRow(
                id: UInt64(number), source: "in", text: line.text, time: 1_700_000_000_000_000 + Int64(number),
                reason: .deferred, studentLogits: [0, 0], teacherLogits: logits, labels: Self.labels,
                studentLabel: Self.labels[0], teacherLabel: Self.labels[said], studentConfidence: 0.5,
                teacherConfidence: 0.99, student: "first", teacher: "rule")
            row.teacherFingerprint = fingerprint
            return row
        }
        try store.commit(Commit(disagreements: rows))
        try store.close()
    }

    /// Gives the state to `body` as a verb beside the daemon sees it.
    func withStore<Value>(_ body: (Store) throws -> Value) throws -> Value {
        let store = try Store.openBeside(directory: folder.file("state"), readOnly: false) { _ in }
        defer { try? store.close() }
        return try body(store)
    }

    var runs: [RedistillationRun] { get throws { try withStore { try $0.runs(limit: 10) } } }

    // MARK: The run

    var registry: StudentRegistry { StudentRegistry(directory: folder.file("state/students")) }

    /// One run. `change` changes what is asked for.
    func run(
        _ teacher: Teacher = Teacher(), isDryRun: Bool = false,
        wasInterrupted: @escaping @Sendable () -> Bool = { false },
        change: (inout RunRequest) -> Void = { _ in }
    ) throws -> RedistillOutcome {
        guard let redistill = settings.redistill else {
            throw UnderstudyError(.configuration, "the settings have no block redistill")
        }
        let serving = try registry.current()?.directory ?? studentDirectory
        var request = RunRequest(
            settings: settings, redistill: redistill, isDryRun: isDryRun, student: serving, teacher: teacherDirectory)
        change(&request)
        let run = RedistillRun(
            request, progress: .silent, loadTeacher: { _ throws(UnderstudyError) in teacher },
            wasInterrupted: wasInterrupted, report: { _ in })
        return try run.run()
    }
}
