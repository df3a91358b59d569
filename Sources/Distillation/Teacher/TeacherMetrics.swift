import Diagnostics
import Models
import Tensors

/// What was measured while a teacher was fine-tuned; becomes `metrics.json` and a table of its card.
public struct TeacherMetrics: Sendable {
    /// The temperature fitted on the validation lines, and what it does there.
    public struct Calibration: Sendable {
        public let temperature: Float
        /// Expected calibration error at temperature 1, and at the fitted one.
        public let errorBefore: Double
        public let errorAfter: Double
    }

    public let training: TeacherTrainingResult
    public let trainLines: Int
    public let validationLines: Int
    public let calibration: Calibration

    /// The kept epoch's measures.
    public var best: TeacherTrainingResult.Epoch { training.epochs[training.bestEpoch - 1] }

    /// The text of `metrics.json`; shares lie between 0 and 1.
    public var json: String {
        let epochs = training.epochs.map { epoch in
            JSONTree.members(
                [
                    ("training_loss", .double(epoch.trainingLoss)),
                    ("training_accuracy", .double(epoch.trainingAccuracy)),
                ] + (epoch.validationLoss.map { [("validation_loss", .double($0))] } ?? [])
                    + (epoch.validationAccuracy.map { [("validation_accuracy", .double($0))] } ?? []))
        }
        return JSONTree.members([
            "train_lines": .integer(trainLines), "validation_lines": .integer(validationLines),
            "best_epoch": .integer(training.bestEpoch), "interrupted": .bool(training.wasCancelled),
            "epochs": .array(epochs), "validation_accuracy": best.validationAccuracy.map { .double($0) } ?? .null,
            "temperature": .double(calibration.temperature),
            "ece_before_temperature": .double(calibration.errorBefore),
            "ece_after_temperature": .double(calibration.errorAfter),
        ]).text + "\n"
    }

    /// The same for a model card.
    public var table: ModelCard.Table {
        var rows: [[String]] = []
        if let accuracy = best.validationAccuracy { rows.append(["accuracy", NumberText.percent(accuracy)]) }
        if let loss = best.validationLoss { rows.append(["cross-entropy", NumberText.fixed(loss, digits: 4)]) }
        rows.append(["ECE before temperature", NumberText.percent(calibration.errorBefore)])
        rows.append(["ECE after temperature", NumberText.percent(calibration.errorAfter)])
        return ModelCard.Table(
            title: "On the \(NumberText.grouped(validationLines)) validation lines", columns: ["measure", "value"],
            rows: rows)
    }
}
