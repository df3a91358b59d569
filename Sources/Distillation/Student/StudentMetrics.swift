import Bytes
import Diagnostics
import Models
import Tensors

/// The measurements of a student's training; written to `metrics.json` and the tables of its card.
public struct StudentMetrics: Sendable {
    public var bestEpoch: Int
    public var validationAccuracies: [Double]
    public var losses: [Double]
    public var trainAccuracies: [Double?]
    public var wasInterrupted: Bool
    public var calibration: StudentCalibration
    /// The number of lines with a label or a file of their own, and of all training lines.
    public var trainLines: Int
    public var transferLines: Int
    public var parameters: Int

    init(
        outcome: StudentTrainer.Outcome, calibration: StudentCalibration, trainLines: Int, transferLines: Int,
        parameters: Int
    ) {
        bestEpoch = outcome.bestEpoch
        validationAccuracies = outcome.validationAccuracies
        losses = outcome.losses
        trainAccuracies = outcome.trainAccuracies
        wasInterrupted = outcome.wasInterrupted
        self.calibration = calibration
        self.trainLines = trainLines
        self.transferLines = transferLines
        self.parameters = parameters
    }

    /// The text of `metrics.json`; shares are between 0 and 1.
    public var json: String {
        var members: [(String, JSONTree)] = [
            ("train_lines", .integer(trainLines)), ("transfer_lines", .integer(transferLines)),
            ("parameters", .integer(parameters)), ("best_epoch", .integer(bestEpoch)),
            ("interrupted", .bool(wasInterrupted)), ("training_losses", .array(losses.map { .double($0) })),
            ("validation_accuracies", .array(validationAccuracies.map { .double($0) })),
            ("validation_accuracy", .double(calibration.studentAccuracy)),
            ("temperature", .double(calibration.calibration.temperature)),
            ("ece_before_temperature", .double(calibration.calibrationErrorBefore)),
            ("ece_after_temperature", .double(calibration.calibrationErrorAfter)),
            ("deferral_threshold", .double(calibration.calibration.deferralThreshold)),
            ("deferred_share", .double(calibration.deferredShare)),
        ]
        if let teacher = calibration.teacherAccuracy {
            members.append(("teacher_validation_accuracy", .double(teacher)))
            members.append(("cascade_validation_accuracy", .double(calibration.cascadeAccuracy)))
        }
        return JSONTree.members(members).written() + "\n"
    }

    /// The same as a table for a model card.
    public var table: ModelCard.Table {
        func percent(_ share: Double) -> String { NumberText.percent(share) }
        var rows = [["student", percent(calibration.studentAccuracy)]]
        if let teacher = calibration.teacherAccuracy {
            rows.append(["its teacher", percent(teacher)])
            rows.append([
                "cascade, \(percent(calibration.deferredShare)) deferred", percent(calibration.cascadeAccuracy),
            ])
        }
        rows.append(["ECE before temperature", percent(calibration.calibrationErrorBefore)])
        rows.append(["ECE after temperature", percent(calibration.calibrationErrorAfter)])
        return ModelCard.Table(title: "On the validation lines", columns: ["", "accuracy"], rows: rows)
    }
}

/// Temperature and deferral threshold of a student, fitted on validation lines.
public struct StudentCalibration: Sendable, Equatable {
    public var calibration: Calibration
    /// On the validation lines.
    public var studentAccuracy: Double
    public var teacherAccuracy: Double?
    /// The share of them that the threshold defers, and the resulting accuracy of the cascade.
    public var deferredShare: Double
    public var cascadeAccuracy: Double
    public var calibrationErrorBefore: Double
    public var calibrationErrorAfter: Double

    /// Without a teacher the threshold defers the least confident tenth.
    static let shareWithoutTeacher = 0.1

    /// - Parameters:
    ///   - logits: (n, labelCount) of the student; `teacherLogits` likewise.
    ///   - labels: (n), −1 if unknown: left out.
    public static func fit(
        logits: [Float], teacherLogits: [Float]?, labels: [Int32], labelCount: Int, description: String
    ) -> StudentCalibration {
        let known = labels.indices.filter { labels[$0] >= 0 }
        func rows(_ values: [Float]) -> [Float] {
            known.flatMap { values[$0 * labelCount..<($0 + 1) * labelCount] }
        }
        let truth = known.map { labels[$0] }
        let scaling = TemperatureScaling.fit(logits: rows(logits), labelCount: labelCount, labels: truth)
        let before = Predictions(logits: rows(logits), labelCount: labelCount, temperature: 1)
        let after = Predictions(logits: rows(logits), labelCount: labelCount, temperature: scaling.temperature)
        let correct = after.correct(truth)
        let teacher = teacherLogits.map { Predictions(logits: rows($0), labelCount: labelCount, temperature: 1) }
        let teacherCorrect = teacher.map { $0.correct(truth) }
        func accuracy(_ hits: [Bool]) -> Double { Double(hits.count { $0 }) / Double(max(hits.count, 1)) }
        var result = StudentCalibration(
            calibration: Calibration(
                temperature: scaling.temperature, deferralThreshold: 0, holdoutDescription: description),
            studentAccuracy: accuracy(correct), teacherAccuracy: teacherCorrect.map(accuracy), deferredShare: 0,
            cascadeAccuracy: accuracy(correct),
            calibrationErrorBefore: ExpectedCalibrationError(confidences: before.confidences, correct: correct).value,
            calibrationErrorAfter: ExpectedCalibrationError(confidences: after.confidences, correct: correct).value)
        if let teacherCorrect {
            let fit = DeferralThreshold.fit(
                confidences: after.confidences, studentCorrect: correct, teacherCorrect: teacherCorrect)
            result.calibration.deferralThreshold = fit.threshold
            result.deferredShare = fit.share
            result.cascadeAccuracy = fit.accuracy
        } else {
            result.calibration.deferralThreshold = DeferralThreshold.deferring(
                share: shareWithoutTeacher, confidences: after.confidences)
            result.deferredShare = shareWithoutTeacher
        }
        return result
    }
}
