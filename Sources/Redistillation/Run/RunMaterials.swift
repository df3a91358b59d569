import Configuration
import Diagnostics
import Distillation
import Models
import Text

/// The inputs of a run: the configured models and data, read and checked.
struct RunMaterials {
    let serving: Student
    let servingDirectory: String
    let servingFingerprint: String
    /// The serving student's version in the registry; nil if the configured student served at the start.
    let servingVersion: String?
    let tokenizer: LoadedTokenizer
    /// The teacher, with its labels in the student's order.
    let teacher: any LineClassifier
    let teacherDirectory: String
    let teacherFingerprint: String
    /// The base transfer set, without texts of the holdout.
    let base: DataSet
    let trainFingerprint: String
    /// The labelled lines of the holdout file.
    let holdout: DataSet
    let holdoutFingerprint: String

    /// Throws `missingInput` or `invalidData` for missing or wrong inputs; `configuration` if student and teacher don't
    /// match.
    init(
        _ request: RunRequest, teacher load: (String) throws(UnderstudyError) -> any LineClassifier
    ) throws(UnderstudyError) {
        servingDirectory = request.student
        servingFingerprint = try Fingerprint.of(model: servingDirectory)
        _ = try StudentRegistry.verify(directory: servingDirectory)
        serving = try StudentFiles.load(directory: servingDirectory)
        servingVersion = try request.servingVersion(at: servingDirectory)
        tokenizer = try TokenizerFiles.load(directory: servingDirectory)
        teacherDirectory = request.teacher
        teacherFingerprint = try Fingerprint.of(model: teacherDirectory)
        do throws(UnderstudyError) {
            teacher = try ReorderedClassifier(try load(teacherDirectory), labels: serving.labels)
        } catch {
            throw error.placed(at: teacherDirectory)
        }
        let redistill = request.redistill
        holdoutFingerprint = try Fingerprint.of(file: redistill.holdout)
        holdout = try DataSet.read(path: redistill.holdout, labels: serving.labels).labelled().withoutDuplicates()
        guard !holdout.isEmpty else {
            throw UnderstudyError(
                .invalidData, "has no labelled line, so no student can be measured on it", at: redistill.holdout)
        }
        trainFingerprint = try Fingerprint.of(file: redistill.train)
        base = try DataSet.read(path: redistill.train, labels: serving.labels)
            .withoutDuplicates().excluding(textsOf: holdout)
    }

    var labels: [String] { serving.labels }

    /// Checks that the models and data are those that the run began with.
    ///
    /// Throws `tryAgain`, naming the input that was replaced.
    func checkUnchanged(_ request: RunRequest) throws(UnderstudyError) {
        func check(_ now: String, _ before: String, _ what: String, _ path: String) throws(UnderstudyError) {
            guard now == before else {
                throw UnderstudyError(
                    .tryAgain, "the \(what) was replaced during the run; run it again with the new one", at: path)
            }
        }
        guard try request.servingVersion() == servingVersion else {
            throw UnderstudyError(
                .tryAgain,
                "another student was promoted, or one was rolled back, during the run; run it again",
                at: request.settings.registryDirectory)
        }
        try check(try Fingerprint.of(model: teacherDirectory), teacherFingerprint, "teacher", teacherDirectory)
        try check(try Fingerprint.of(model: servingDirectory), servingFingerprint, "student", servingDirectory)
        try check(
            try Fingerprint.of(file: request.redistill.holdout), holdoutFingerprint, "holdout",
            request.redistill.holdout)
    }

    /// Returns the teacher with a cache of its logits by text, which is kept between runs.
    func panel(_ request: RunRequest) throws(UnderstudyError) -> TeacherPanel {
        // The name includes the order of the labels, because the file's logits are in it.
        let name = Fingerprint.of(bytes: Array((teacherFingerprint + labels.joined(separator: "\n")).utf8))
        try RunFolder.make(request.teacherLogits)
        return try TeacherPanel(
            [TeacherPanel.Member(teacher: teacher, fingerprint: name)], directory: request.teacherLogits,
            threads: request.redistill.threads)
    }
}

/// A classifier with reordered labels: a teacher in the student's order.
struct ReorderedClassifier: LineClassifier {
    let labels: [String]
    private let inner: any LineClassifier
    /// Column `order[i]` of the inner classifier is column `i` here.
    private let order: [Int]

    /// Throws `configuration` if the labels differ.
    init(_ inner: any LineClassifier, labels: [String]) throws(UnderstudyError) {
        var order: [Int] = []
        for label in labels {
            guard let column = inner.labels.firstIndex(of: label) else {
                throw Self.mismatch(inner, labels)
            }
            order.append(column)
        }
        guard inner.labels.count == labels.count else { throw Self.mismatch(inner, labels) }
        self.inner = inner
        self.labels = labels
        self.order = order
    }

    var version: String { inner.version }

    func makeScorer() -> any LineScorer { Scorer(inner.makeScorer(), order) }

    private static func mismatch(_ inner: any LineClassifier, _ labels: [String]) -> UnderstudyError {
        func list(_ names: [String]) -> String { names.prefix(20).map(PrintableText.escaped).joined(separator: ", ") }
        return UnderstudyError(
            .configuration,
            "student and teacher have different labels: \(list(labels)) and \(list(inner.labels)); set models "
                + "with the same labels")
    }

    private final class Scorer: LineScorer {
        private let inner: any LineScorer
        private let order: [Int]
        private var row: [Float]

        init(_ inner: any LineScorer, _ order: [Int]) {
            self.inner = inner
            self.order = order
            row = Array(repeating: 0, count: order.count)
        }

        func score(
            _ batch: LineBatch, into logits: UnsafeMutableBufferPointer<Float>, deadline: UInt64?
        ) throws(UnderstudyError) {
            try inner.score(batch, into: logits, deadline: deadline)
            let width = order.count
            for first in stride(from: 0, to: batch.count * width, by: width) {
                for column in 0..<width { row[column] = logits[first + column] }
                for (column, old) in order.enumerated() { logits[first + column] = row[old] }
            }
        }
    }
}
