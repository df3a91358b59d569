import Configuration
import Diagnostics
import Distillation
import Models
import Text

/// What a run works with: the models and the data that its configuration names, read and checked.
struct RunMaterials {
    let serving: Student
    let servingDirectory: String
    let servingFingerprint: String
    /// Its version in the registry; nil: none of the registry's served at the beginning, but the configured student.
    let servingVersion: String?
    let tokenizer: LoadedTokenizer
    /// In the student's order of labels.
    let teacher: any LineClassifier
    let teacherDirectory: String
    let teacherFingerprint: String
    /// The base transfer set, without a text of the holdout.
    let base: DataSet
    let trainFingerprint: String
    /// Labelled lines alone.
    let holdout: DataSet
    let holdoutFingerprint: String

    /// Errors: `missingInput` and `invalidData` of whatever is missing or wrong; `configuration` where student and teacher
    /// don't belong together.
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
                .invalidData, "has no labelled line, so that no student can be measured on it", at: redistill.holdout)
        }
        trainFingerprint = try Fingerprint.of(file: redistill.train)
        base = try DataSet.read(path: redistill.train, labels: serving.labels)
            .withoutDuplicates().excluding(textsOf: holdout)
    }

    var labels: [String] { serving.labels }

    /// Whether the models and the data are still those that the run began with.
    ///
    /// Errors: `tryAgain` naming what was replaced meanwhile.
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
                "another student was promoted, or taken back, during the run; run it again to compare with that one",
                at: request.settings.registryDirectory)
        }
        try check(try Fingerprint.of(model: teacherDirectory), teacherFingerprint, "teacher", teacherDirectory)
        try check(try Fingerprint.of(model: servingDirectory), servingFingerprint, "student", servingDirectory)
        try check(
            try Fingerprint.of(file: request.redistill.holdout), holdoutFingerprint, "holdout",
            request.redistill.holdout)
    }

    /// The teacher with its logits kept by text, from run to run.
    func panel(_ request: RunRequest) throws(UnderstudyError) -> TeacherPanel {
        // The order of labels is part of the name: the file's logits are in it.
        let name = Fingerprint.of(bytes: Array((teacherFingerprint + labels.joined(separator: "\n")).utf8))
        try RunFolder.make(request.teacherLogits)
        return try TeacherPanel(
            [TeacherPanel.Member(teacher: teacher, fingerprint: name)], directory: request.teacherLogits,
            threads: request.redistill.threads)
    }
}
