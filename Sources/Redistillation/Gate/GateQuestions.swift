import Configuration
import Diagnostics

/// All questions, in the order in which they are asked.
struct GateQuestions: Sendable {
    let logLines: GateQuestion
    let learntClasses: GateQuestion
    let holdoutLines: GateQuestion
    let holdoutClasses: GateQuestion
    let overlap: GateQuestion
    let logits: GateQuestion
    let training = GateQuestion(name: "training", title: "Training ended with numbers", threshold: "finite logits")
    let accuracy: GateQuestion
    let worst: GateQuestion
    let recall: GateQuestion
    let agreement = GateQuestion(
        name: "agreement", title: "Agreement with the teacher on the log", threshold: "better than before")
    let calibration: GateQuestion
    let load: GateQuestion
    let speed: GateQuestion
    let size: GateQuestion
    let alone = GateQuestion(
        name: "without_teacher", title: "Against a student without a teacher", threshold: "not worse")

    /// At least so many of the compared logits must be the present teacher's.
    static let logitsShare = 0.9

    /// `calibrationError`: the one that is allowed.
    init(_ settings: RedistillSettings.Gate, minimumLearnt: Int, calibrationError: Double) {
        func question(_ name: String, _ title: String, _ threshold: String) -> GateQuestion {
            GateQuestion(name: name, title: title, threshold: threshold)
        }
        func lost(_ share: Double) -> String { "at most \(GateText.points(share)) lost" }
        let least = "at least \(settings.minimumClassRows)"
        logLines = question("log_lines", "Lines to learn from", "at least \(minimumLearnt)")
        learntClasses = question("learnt_classes", "Lines of each class to learn from", least)
        holdoutLines = question("holdout_lines", "Lines of the holdout", "at least \(settings.minimumHoldoutRows)")
        holdoutClasses = question("holdout_classes", "Lines of each class in the holdout", least)
        overlap = question(
            "holdout_overlap", "Holdout that stands in the log too",
            "at most \(NumberText.percent(settings.maximumOverlap))")
        logits = question(
            "log_logits", "The log's logits are the teacher's", "at least \(NumberText.percent(Self.logitsShare))")
        accuracy = question("accuracy", "Accuracy on the holdout", lost(settings.maximumAccuracyLoss))
        worst = question("accuracy_at_worst", "Its change at worst", lost(settings.maximumPossibleLoss))
        recall = question("recall", "Recall of the class that loses most", lost(settings.maximumRecallLoss))
        calibration = question(
            "calibration", "Calibration error on the holdout", "at most \(NumberText.percent(calibrationError))")
        load = question(
            "teacher_load", "Deferred to the teacher at the same error",
            "at most \(NumberText.percent(settings.maximumLoadGrowth)) and \(GateText.points(settings.loadAllowance)) more"
        )
        speed = question("speed", "Lines a second", "at most \(NumberText.percent(settings.maximumSlowdown)) lost")
        size = question("size", "Bytes of weights", "at most \(NumberText.percent(settings.maximumGrowth)) more")
    }

    /// Those that a candidate answers.
    var aboutCandidate: [GateQuestion] {
        [training, accuracy, worst, recall, agreement, calibration, load, speed, size, alone]
    }
}
