import Models

/// One model measured on labelled lines.
public struct ModelEvaluation: Sendable {
    public enum Role: String, Sendable {
        case student, teacher
    }

    public let role: Role
    /// How the model calls itself.
    public let version: String
    public let scored: ScoredLines
    /// At temperature 1, and at the model's own temperature.
    public let raw: Predictions
    public let calibrated: Predictions
    /// (n), whether the model is right.
    public let correct: [Bool]
    public let confusion: ConfusionMatrix
    public let report: ClassificationReport
    public let calibrationErrorBefore: ExpectedCalibrationError
    public let calibrationErrorAfter: ExpectedCalibrationError
    public let lossBefore: Double
    public let lossAfter: Double
    public let brierBefore: Double
    public let brierAfter: Double
    /// By the confidence at the model's own temperature.
    public let selectiveRisk: SelectiveRisk

    public var temperature: Float { calibrated.temperature }

    /// `truth` is (n), no label unknown; `labels` names the columns of `scored` and the indices of `truth`.
    public init(
        role: Role, version: String, labels: [String], scored: ScoredLines, truth: [Int32], temperature: Float
    ) {
        self.role = role
        self.version = version
        self.scored = scored
        raw = Predictions(logits: scored.logits, labelCount: labels.count)
        calibrated = temperature == 1 ? raw : raw.at(temperature: temperature)
        correct = raw.correct(truth)
        confusion = ConfusionMatrix(labels: labels, truth: truth, predicted: raw.indices)
        report = ClassificationReport(confusion)
        calibrationErrorBefore = ExpectedCalibrationError(confidences: raw.confidences, correct: correct)
        calibrationErrorAfter = ExpectedCalibrationError(confidences: calibrated.confidences, correct: correct)
        lossBefore = raw.negativeLogLikelihood(truth)
        lossAfter = calibrated.negativeLogLikelihood(truth)
        brierBefore = raw.brierScore(truth)
        brierAfter = calibrated.brierScore(truth)
        selectiveRisk = SelectiveRisk(confidences: calibrated.confidences, correct: correct)
    }
}
