import Diagnostics
import Models

/// All that `evaluate` finds out, ready to be written as text, JSON or a page.
public struct EvaluationSummary: Sendable {
    /// What the data is called.
    public let dataName: String
    /// Label names in the order of every matrix here.
    public let labels: [String]
    /// Labelled lines, which were scored, and lines without a label, which were not.
    public let lineCount: Int
    public let skippedCount: Int
    public let student: ModelEvaluation?
    public let teacher: ModelEvaluation?
    /// There where both models are.
    public let cascade: CascadeEvaluation?

    public var models: [ModelEvaluation] { [student, teacher].compactMap { $0 } }

    /// The label order to read data by: the student's, or the teacher's where there is no student.
    ///
    /// - Throws: `usage` without a model; `invalidData` where the models' label sets differ.
    public static func labels(
        student: (any LineClassifier)?, teacher: (any LineClassifier)?
    ) throws(UnderstudyError) -> [String] {
        if let student, let teacher {
            let own = Set(student.labels)
            let other = Set(teacher.labels)
            guard own == other, student.labels.count == teacher.labels.count else {
                throw UnderstudyError(
                    .invalidData,
                    "student and teacher have different labels: "
                        + "\(list(student.labels)) in \(student.version), \(list(teacher.labels)) in \(teacher.version)"
                )
            }
        }
        guard let labels = student?.labels ?? teacher?.labels else {
            throw UnderstudyError(.usage, "there is no model to evaluate; name one with --student, --teacher or both")
        }
        return labels
    }

    /// Scores the labelled lines of `data` with each model and measures the results.
    ///
    /// - Parameter data: read by the order that `labels(student:teacher:)` gives.
    /// - Throws: `invalidData` where no line has a label, or a model gives logits that aren't finite.
    public static func measure<C: Clock>(
        _ data: DataSet, name: String, student: (any LineClassifier)?, teacher: (any LineClassifier)?,
        evaluator: Evaluator, clock: C, progress: ProgressMeter = .silent
    ) throws(UnderstudyError) -> EvaluationSummary where C.Duration == Duration {
        let labels = try labels(student: student, teacher: teacher)
        precondition(data.labels == labels, "the data was read by another label order")
        let lines = data.labelled()
        guard !lines.isEmpty else {
            throw UnderstudyError(
                .invalidData, "none of the \(data.count) rows has a label, so there is nothing to compare with",
                at: name)
        }
        func evaluation(
            _ role: ModelEvaluation.Role, _ classifier: (any LineClassifier)?
        ) throws(UnderstudyError) -> ModelEvaluation? {
            guard let classifier else { return nil }
            let scored = try evaluator.score(
                lines, by: classifier, clock: clock, stage: role.rawValue, progress: progress)
            let order = labels.compactMap(classifier.labels.firstIndex(of:))
            return ModelEvaluation(
                role: role, version: classifier.version, labels: labels, scored: scored.columns(order),
                truth: lines.labelIndices, temperature: (classifier as? any CalibratedClassifier)?.temperature ?? 1)
        }
        let own = try evaluation(.student, student)
        let other = try evaluation(.teacher, teacher)
        var cascade: CascadeEvaluation?
        if let own, let other {
            cascade = CascadeEvaluation(
                student: own, teacher: other,
                ownThreshold: (student as? any CalibratedClassifier)?.deferralThreshold)
        }
        return EvaluationSummary(
            dataName: name, labels: labels, lineCount: lines.count, skippedCount: data.count - lines.count,
            student: own, teacher: other, cascade: cascade)
    }

    private static func list(_ labels: [String]) -> String {
        labels.map(PrintableText.escaped).joined(separator: ", ")
    }
}
