import Diagnostics
import Models
import Tensors

/// What was measured while a student was made; becomes `metrics.json` and the tables of its card.
public struct StudentMetrics: Sendable {
    public var bestEpoch: Int
    public var validationAccuracies: [Double]
    public var losses: [Double]
    public var trainAccuracies: [Double?]
    public var wasInterrupted: Bool
    public var calibration: StudentCalibration
    /// Lines with a label or a file of their own, and all lines that were learnt from.
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

    /// The text of `metrics.json`; shares lie between 0 and 1.
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
        return JSONTree.members(members).text + "\n"
    }

    /// The same for a model card.
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
