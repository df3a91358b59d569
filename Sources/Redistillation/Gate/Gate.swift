import Configuration
import Diagnostics
import Distillation
import Store

/// Decides whether a candidate is promoted. Each criterion records the measured value and the required one.
///
/// The first criteria are about the data and are judged before training; `evidence.candidate` is nil then, and the
/// other criteria are unmeasured. A candidate passes if no criterion fails.
public struct Gate: Sendable {
    private let settings: RedistillSettings.Gate
    private let seed: UInt64

    /// Minimum number of held-out lines for a comparison of two students.
    static let fewestHeldOut = 20

    public init(_ settings: RedistillSettings.Gate, seed: UInt64 = 0) {
        self.settings = settings
        self.seed = seed
    }

    public func decide(_ evidence: GateEvidence) -> GateDecision {
        let questions = GateQuestions(
            settings, minimumLearnt: evidence.minimumLearnt, calibrationError: allowedCalibrationError(evidence))
        return GateDecision(criteria: aboutData(evidence, questions) + aboutCandidate(evidence, questions))
    }

    // MARK: The data

    private func aboutData(_ evidence: GateEvidence, _ questions: GateQuestions) -> [GateCriterion] {
        var perClass = [Int](repeating: 0, count: evidence.labels.count)
        for label in evidence.truth { perClass[Int(label)] += 1 }
        let overlap = evidence.truth.isEmpty ? 0 : Double(evidence.overlap) / Double(evidence.truth.count)
        let isEnough = evidence.learnt >= evidence.minimumLearnt
        return [
            questions.logLines.answered("\(evidence.learnt)", isEnough, isEnough ? "" : "too little data"),
            classes(questions.learntClasses, evidence.labels, evidence.learntPerLabel),
            questions.holdoutLines.answered(
                "\(evidence.truth.count)", evidence.truth.count >= settings.minimumHoldoutRows),
            classes(questions.holdoutClasses, evidence.labels, perClass),
            questions.overlap.answered(
                NumberText.percent(overlap, apartFrom: settings.maximumOverlap), overlap <= settings.maximumOverlap,
                evidence.overlap > 0 ? "\(evidence.overlap) lines; they aren't used for training" : ""),
            logits(questions.logits, evidence),
        ]
    }

    private func classes(_ question: GateQuestion, _ labels: [String], _ counts: [Int]) -> GateCriterion {
        let missing = labels.indices.filter { !counts.indices.contains($0) || counts[$0] < settings.minimumClassRows }
        let least = counts.indices.min { counts[$0] < counts[$1] }
        let names = missing.prefix(5).map { PrintableText.escaped(labels[$0]) }.joined(separator: ", ")
        return question.answered(
            least.map { "\(counts[$0]) (\(PrintableText.escaped(labels[$0])))" } ?? "none", missing.isEmpty,
            missing.isEmpty ? "" : "too few of \(names)" + (missing.count > 5 ? " and others" : ""))
    }

    private func logits(_ question: GateQuestion, _ evidence: GateEvidence) -> GateCriterion {
        guard evidence.logitsCompared > 0 else { return question.unanswered("the teacher's logits were recomputed") }
        let holds = Double(evidence.logitsHeld) >= GateQuestions.logitsShare * Double(evidence.logitsCompared)
        return question.answered(
            "\(evidence.logitsHeld) of \(evidence.logitsCompared)", holds,
            holds ? "" : "the log disagrees with the teacher that it names")
    }

    // MARK: The candidate

    private func aboutCandidate(_ evidence: GateEvidence, _ questions: GateQuestions) -> [GateCriterion] {
        guard let candidate = evidence.candidate, let serving = evidence.serving else {
            return questions.aboutCandidate.map { $0.unanswered() }
        }
        let outcome = Comparison(evidence, candidate, serving)
        let training = questions.training.answered(
            outcome.isFinite ? "\(evidence.epochs) epochs" : "not finite", outcome.isFinite,
            evidence.wasCutShort ? "the time limit was reached; the best epoch so far is judged" : "")
        guard outcome.isFinite else {
            return [training] + questions.aboutCandidate.dropFirst().map { $0.unanswered() }
        }
        let bootstrap = bootstrap(outcome.candidateCorrect, outcome.servingCorrect)
        // The tolerance keeps a loss of exactly the limit from failing by rounding.
        let slack = 1e-12
        let recall = outcome.recallChanges
        let worst = recall.indices.min { recall[$0] < recall[$1] } ?? 0
        let speed = candidate.linesPerSecond / max(serving.linesPerSecond, 1e-9)
        let growth = Double(candidate.bytes) / Double(max(serving.bytes, 1)) - 1
        return [
            training,
            questions.accuracy.answered(
                "\(share(outcome.servingAccuracy)) → \(share(outcome.candidateAccuracy)), "
                    + points(bootstrap.difference, -settings.maximumAccuracyLoss),
                bootstrap.difference >= -settings.maximumAccuracyLoss - slack),
            questions.worst.answered(
                points(bootstrap.lower, -settings.maximumPossibleLoss),
                bootstrap.lower >= -settings.maximumPossibleLoss - slack,
                "paired bootstrap, \(NumberText.percent(settings.confidence, digits: 0)) confidence"),
            questions.recall.answered(
                "\(points(recall[worst], -settings.maximumRecallLoss)) (\(PrintableText.escaped(outcome.labels[worst])))",
                recall[worst] >= -settings.maximumRecallLoss - slack),
            agreement(questions.agreement, outcome, evidence),
            questions.calibration.answered(
                "\(share(serving.calibrationError)) → "
                    + NumberText.percent(candidate.calibrationError, apartFrom: allowedCalibrationError(evidence)),
                candidate.calibrationError <= allowedCalibrationError(evidence), "cross-fitted temperature"),
            load(questions.load, outcome, evidence),
            questions.speed.answered(
                "\(NumberText.rate(serving.linesPerSecond)) → \(NumberText.rate(candidate.linesPerSecond))"
                    + change(speed - 1, -settings.maximumSlowdown),
                speed >= 1 - settings.maximumSlowdown),
            questions.size.answered(
                "\(NumberText.grouped(serving.bytes)) → \(NumberText.grouped(candidate.bytes))"
                    + change(growth, settings.maximumGrowth),
                Double(candidate.bytes) <= (1 + settings.maximumGrowth) * Double(serving.bytes)),
            alone(questions.alone, outcome, evidence),
        ]
    }

    /// Compares the share of the stream that each student has to defer for its own answers to reach the target error.
    private func load(
        _ question: GateQuestion, _ outcome: Comparison, _ evidence: GateEvidence
    ) -> GateCriterion {
        guard let target = evidence.targetError else {
            return question.unanswered("the serving student has no threshold that determines the error")
        }
        let before = outcome.deferred(outcome.serving, outcome.servingCorrect, target)
        let after = outcome.deferred(outcome.candidate, outcome.candidateCorrect, target)
        let allowed = settings.allowedLoad(serving: before)
        return question.answered(
            "\(share(before)) → \(NumberText.percent(after, apartFrom: allowed))", after <= allowed + 1e-12,
            "at an error of \(NumberText.percent(target, digits: 2)) among a student's own answers; "
                + "\(share(allowed)) is allowed")
    }

    /// Prints a difference with enough digits to show on which side of `limit` it is.
    private func points(_ difference: Double, _ limit: Double) -> String {
        GateText.points(difference, signed: true, apartFrom: limit)
    }

    private func change(_ difference: Double, _ limit: Double) -> String {
        ", \(difference < 0 ? "−" : "+")\(NumberText.percent(abs(difference), apartFrom: abs(limit)))"
    }

    /// Returns the configured limit, or the serving student's error if that is larger.
    private func allowedCalibrationError(_ evidence: GateEvidence) -> Double {
        let serving = evidence.serving?.calibrationError ?? 0
        return max(settings.maximumCalibrationError, serving.isFinite ? serving : 0)
    }

    private func agreement(
        _ question: GateQuestion, _ outcome: Comparison, _ evidence: GateEvidence
    ) -> GateCriterion {
        let teacher = evidence.heldOutTeacher
        guard teacher.count >= Self.fewestHeldOut else {
            return question.answered("\(teacher.count) lines", false, "too few held-out lines to tell")
        }
        func agreement(_ labels: [Int32]) -> Double {
            Double(zip(labels, teacher).count { $0 == $1 }) / Double(teacher.count)
        }
        let before = agreement(outcome.serving.heldOut)
        let after = agreement(outcome.candidate.heldOut)
        return question.answered(
            "\(share(before)) → \(share(after))", after > before,
            "\(teacher.count) lines that are never used for training")
    }

    /// Compares the candidate with a student trained on labels alone. Distillation can hurt, so the candidate must not
    /// be worse.
    private func alone(_ question: GateQuestion, _ outcome: Comparison, _ evidence: GateEvidence) -> GateCriterion {
        guard let logits = evidence.alone, logits.count == outcome.candidate.logits.count,
            logits.allSatisfy(\.isFinite)
        else {
            return question.unanswered(
                "there are too few labels for training on them alone, or the time limit was reached")
        }
        let correct = Predictions(logits: logits, labelCount: outcome.labels.count).correct(outcome.truth)
        let bootstrap = bootstrap(outcome.candidateCorrect, correct)
        let accuracy = Double(correct.count { $0 }) / Double(correct.count)
        return question.answered(
            "\(share(accuracy)) → \(share(outcome.candidateAccuracy))", bootstrap.upper >= 0,
            "\(GateText.points(bootstrap.difference, signed: true)); same labels and initial weights")
    }

    /// A paired bootstrap with one-sided bounds at `confidence`, which are the bounds of the two-sided interval at
    /// twice the error.
    private func bootstrap(_ first: [Bool], _ second: [Bool]) -> PairedBootstrap {
        PairedBootstrap(
            first: first, second: second, confidence: max(2 * settings.confidence - 1, 0.01), seed: seed)
    }

    private func share(_ share: Double) -> String { NumberText.percent(share) }
}

/// The gate's verdict on a candidate.
public struct GateDecision: Sendable, Equatable {
    /// All criteria, always in the same order.
    public var criteria: [GateCriterion]

    public init(criteria: [GateCriterion]) {
        self.criteria = criteria
    }

    public var failed: [GateCriterion] { criteria.filter { $0.result == .failed } }
    public var isPassed: Bool { failed.isEmpty && criteria.contains { $0.result == .passed } }

    /// The reason in one sentence.
    public var reason: String {
        let failed = failed
        guard !failed.isEmpty else { return "every criterion is met" }
        return failed.map { "\($0.title.lowercasedFirst): \($0.measured), required \($0.threshold)" }
            .joined(separator: "; ")
    }
}

extension String {
    fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}

/// A criterion without its answer.
struct GateQuestion: Sendable {
    let name: String
    let title: String
    let threshold: String

    func answered(_ measured: String, _ holds: Bool, _ note: String = "") -> GateCriterion {
        GateCriterion(
            name: name, title: title, measured: measured, threshold: threshold, result: holds ? .passed : .failed,
            note: note)
    }

    func unanswered(_ note: String = "") -> GateCriterion {
        GateCriterion(
            name: name, title: title, measured: "—", threshold: threshold, result: .unmeasured, note: note)
    }
}

/// All criteria of the gate, in order.
struct GateQuestions: Sendable {
    let logLines: GateQuestion
    let learntClasses: GateQuestion
    let holdoutLines: GateQuestion
    let holdoutClasses: GateQuestion
    let overlap: GateQuestion
    let logits: GateQuestion
    let training = GateQuestion(name: "training", title: "Finite logits after training", threshold: "finite logits")
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
        name: "without_teacher", title: "Compared with training on labels alone", threshold: "not worse")

    /// Minimum share of the compared logits that must match the present teacher's.
    static let logitsShare = 0.9

    /// - Parameter calibrationError: the maximum calibration error.
    init(_ settings: RedistillSettings.Gate, minimumLearnt: Int, calibrationError: Double) {
        func question(_ name: String, _ title: String, _ threshold: String) -> GateQuestion {
            GateQuestion(name: name, title: title, threshold: threshold)
        }
        func lost(_ share: Double) -> String { "at most \(GateText.points(share)) lost" }
        let least = "at least \(settings.minimumClassRows)"
        logLines = question("log_lines", "Training lines", "at least \(minimumLearnt)")
        learntClasses = question("learnt_classes", "Training lines of each class", least)
        holdoutLines = question("holdout_lines", "Lines of the holdout", "at least \(settings.minimumHoldoutRows)")
        holdoutClasses = question("holdout_classes", "Lines of each class in the holdout", least)
        overlap = question(
            "holdout_overlap", "Overlap of holdout and log",
            "at most \(NumberText.percent(settings.maximumOverlap))")
        logits = question(
            "log_logits", "Logits in the log match the teacher", "at least \(NumberText.percent(Self.logitsShare))")
        accuracy = question("accuracy", "Accuracy on the holdout", lost(settings.maximumAccuracyLoss))
        worst = question(
            "accuracy_at_worst",
            "Worst-case change (\(NumberText.percent(settings.confidence, digits: 0)) lower bound)",
            lost(settings.maximumPossibleLoss))
        recall = question("recall", "Largest loss of recall of a class", lost(settings.maximumRecallLoss))
        calibration = question(
            "calibration", "Calibration error on the holdout", "at most \(NumberText.percent(calibrationError))")
        load = question(
            "teacher_load", "Deferred to the teacher at the same error",
            "at most \(NumberText.percent(settings.maximumLoadGrowth)) and \(GateText.points(settings.loadAllowance)) more"
        )
        speed = question("speed", "Lines a second", "at most \(NumberText.percent(settings.maximumSlowdown)) lost")
        size = question("size", "Bytes of weights", "at most \(NumberText.percent(settings.maximumGrowth)) more")
    }

    /// The criteria about the candidate.
    var aboutCandidate: [GateQuestion] {
        [training, accuracy, worst, recall, agreement, calibration, load, speed, size, alone]
    }
}

/// Formats the gate's numbers.
enum GateText {
    /// Formats a difference of shares in percentage points.
    static func points(_ share: Double, signed: Bool = false) -> String {
        points(share, signed: signed, apartFrom: share)
    }

    /// Formats it with enough digits to distinguish it from `limit`.
    static func points(_ share: Double, signed: Bool = false, apartFrom limit: Double) -> String {
        let text = NumberText.fixed(abs(share) * 100, digits: 2, apartFrom: abs(limit) * 100)
        let sign = signed ? (share < 0 ? "−" : "+") : ""
        return "\(sign)\(text) points"
    }
}

/// Formats the gate's criteria as a plain-text table, for a terminal and the journal.
public enum GateTable {
    public static func text(_ criteria: [GateCriterion]) -> String {
        PrintableText.table(
            [["", "criterion", "measured", "required"]]
                + criteria.map { [mark($0.result), $0.title, $0.measured, $0.threshold] }, leftAligned: [0, 1, 2, 3])
    }

    private static func mark(_ result: GateCriterion.Result) -> String {
        switch result {
        case .passed: "ok"
        case .failed: "FAILED"
        case .unmeasured: "-"
        }
    }
}
