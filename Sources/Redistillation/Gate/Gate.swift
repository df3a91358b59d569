import Configuration
import Diagnostics
import Distillation
import Store

/// Decides whether a candidate is let in. Every criterion is written down with what was measured and what was asked.
///
/// The first ones are about the data and can be judged before any training (`evidence.candidate` is nil then, and the
/// others stay unmeasured). A candidate is let in when none fails.
public struct Gate: Sendable {
    private let settings: RedistillSettings.Gate
    private let seed: UInt64

    /// Fewer held-out lines can't tell two students apart.
    static let fewestHeldOut = 20
    /// At least so many of the compared logits must be the present teacher's.
    static let logitsShare = 0.9

    public init(_ settings: RedistillSettings.Gate, seed: UInt64 = 0) {
        self.settings = settings
        self.seed = seed
    }

    public func decide(_ evidence: GateEvidence) -> GateDecision {
        GateDecision(criteria: aboutData(evidence) + aboutCandidate(evidence))
    }

    // MARK: The data

    private func aboutData(_ evidence: GateEvidence) -> [GateCriterion] {
        var perClass = [Int](repeating: 0, count: evidence.labels.count)
        for label in evidence.truth { perClass[Int(label)] += 1 }
        let overlap = evidence.truth.isEmpty ? 0 : Double(evidence.overlap) / Double(evidence.truth.count)
        return [
            criterion(
                "log_lines", "Lines to learn from", "\(evidence.learnt)", "at least \(evidence.minimumLearnt)",
                evidence.learnt >= evidence.minimumLearnt,
                evidence.learnt >= evidence.minimumLearnt ? "" : "too little data"),
            classes("learnt_classes", "Lines of each class to learn from", evidence.labels, evidence.learntPerLabel),
            criterion(
                "holdout_lines", "Lines of the holdout", "\(evidence.truth.count)",
                "at least \(settings.minimumHoldoutRows)", evidence.truth.count >= settings.minimumHoldoutRows),
            classes("holdout_classes", "Lines of each class in the holdout", evidence.labels, perClass),
            criterion(
                "holdout_overlap", "Holdout that stands in the log too", share(overlap),
                "at most \(share(settings.maximumOverlap))", overlap <= settings.maximumOverlap,
                evidence.overlap > 0 ? "\(evidence.overlap) lines; they aren't learnt from" : ""),
            logits(evidence),
        ]
    }

    private func classes(_ name: String, _ title: String, _ labels: [String], _ counts: [Int]) -> GateCriterion {
        let missing = labels.indices.filter { !counts.indices.contains($0) || counts[$0] < settings.minimumClassRows }
        let least = counts.indices.min { counts[$0] < counts[$1] }
        let measured = least.map { "\(counts[$0]) (\(PrintableText.escaped(labels[$0])))" } ?? "none"
        let names = missing.prefix(5).map { PrintableText.escaped(labels[$0]) }.joined(separator: ", ")
        return criterion(
            name, title, measured, "at least \(settings.minimumClassRows)", missing.isEmpty,
            missing.isEmpty ? "" : "too few of \(names)" + (missing.count > 5 ? " and others" : ""))
    }

    private func logits(_ evidence: GateEvidence) -> GateCriterion {
        let title = "The log's logits are the teacher's"
        let threshold = "at least \(share(Self.logitsShare))"
        guard evidence.logitsCompared > 0 else {
            return unmeasured("log_logits", title, threshold, "the teacher has been asked anew")
        }
        let held = Double(evidence.logitsHeld) / Double(evidence.logitsCompared)
        return criterion(
            "log_logits", title, "\(evidence.logitsHeld) of \(evidence.logitsCompared)", threshold,
            held >= Self.logitsShare,
            held >= Self.logitsShare ? "" : "the log says otherwise than the teacher that it names")
    }

    // MARK: The candidate

    private func aboutCandidate(_ evidence: GateEvidence) -> [GateCriterion] {
        let outcome = evidence.candidate.flatMap { candidate in
            evidence.serving.map { Comparison(evidence, candidate, $0) }
        }
        let isFinite = outcome?.isFinite ?? false
        let training = criterion(
            "training", "Training ended with numbers",
            outcome == nil ? "—" : isFinite ? "\(evidence.epochs) epochs" : "not finite", "finite logits", isFinite,
            evidence.wasCutShort ? "the time was over; the best epoch so far is judged" : "")
        guard let outcome else {
            return Self.measuredNames.map { unmeasured($0.name, $0.title, $0.threshold(settings), "") }
        }
        guard isFinite else {
            return [training]
                + Self.measuredNames.dropFirst().map { unmeasured($0.name, $0.title, $0.threshold(settings), "") }
        }
        return [training] + accuracy(outcome) + [
            recall(outcome), agreement(outcome, evidence), calibration(outcome), speed(outcome), size(outcome),
            alone(outcome, evidence),
        ]
    }

    private func accuracy(_ outcome: Comparison) -> [GateCriterion] {
        // One-sided at `confidence`: the two-sided interval of twice the error.
        let two = max(2 * settings.confidence - 1, 0.01)
        let bootstrap = PairedBootstrap(
            first: outcome.candidateCorrect, second: outcome.servingCorrect, confidence: two, seed: seed)
        let from = "\(share(outcome.servingAccuracy)) → \(share(outcome.candidateAccuracy))"
        let allowed = settings.maximumAccuracyLoss
        // The slack keeps a loss that is exactly what is allowed from failing by rounding.
        return [
            criterion(
                "accuracy", "Accuracy on the holdout", from, "at most \(points(allowed)) lost",
                bootstrap.difference >= -allowed - 1e-12, points(bootstrap.difference, signed: true)),
            criterion(
                "accuracy_at_worst", "Its change at worst", points(bootstrap.lower, signed: true),
                "at most \(points(settings.maximumPossibleLoss)) lost",
                bootstrap.lower >= -settings.maximumPossibleLoss - 1e-12,
                "paired bootstrap, \(NumberText.percent(settings.confidence, digits: 0)) confidence"),
        ]
    }

    private func recall(_ outcome: Comparison) -> GateCriterion {
        let changes = outcome.recallChanges
        let worst = changes.indices.min { changes[$0] < changes[$1] } ?? 0
        let measured = "\(points(changes[worst], signed: true)) (\(PrintableText.escaped(outcome.labels[worst])))"
        return criterion(
            "recall", "Recall of the class that loses most", measured,
            "at most \(points(settings.maximumRecallLoss)) lost",
            changes[worst] >= -settings.maximumRecallLoss - 1e-12)
    }

    private func agreement(_ outcome: Comparison, _ evidence: GateEvidence) -> GateCriterion {
        let teacher = evidence.heldOutTeacher
        let title = "Agreement with the teacher on the log"
        guard teacher.count >= Self.fewestHeldOut else {
            return criterion(
                "agreement", title, "\(teacher.count) lines", "at least \(Self.fewestHeldOut) held-out lines", false,
                "too few to tell")
        }
        func agreement(_ labels: [Int32]) -> Double {
            Double(zip(labels, teacher).count { $0 == $1 }) / Double(teacher.count)
        }
        let before = agreement(outcome.serving.heldOut)
        let after = agreement(outcome.candidate.heldOut)
        return criterion(
            "agreement", title, "\(share(before)) → \(share(after))", "better than before", after > before,
            "\(teacher.count) lines that are never learnt from")
    }

    private func calibration(_ outcome: Comparison) -> GateCriterion {
        let serving = outcome.serving.calibrationError
        let allowed = max(settings.maximumCalibrationError, serving.isFinite ? serving : 0)
        let own = outcome.candidate.calibrationError
        return criterion(
            "calibration", "Calibration error on the holdout", "\(share(serving)) → \(share(own))",
            "at most \(share(allowed))", own <= allowed, "cross-fitted temperature")
    }

    private func speed(_ outcome: Comparison) -> GateCriterion {
        let ratio = outcome.candidate.linesPerSecond / max(outcome.serving.linesPerSecond, 1e-9)
        return criterion(
            "speed", "Lines a second",
            "\(NumberText.rate(outcome.serving.linesPerSecond)) → \(NumberText.rate(outcome.candidate.linesPerSecond))",
            "at most \(share(settings.maximumSlowdown)) lost", ratio >= 1 - settings.maximumSlowdown)
    }

    private func size(_ outcome: Comparison) -> GateCriterion {
        let ratio = Double(outcome.candidate.bytes) / Double(max(outcome.serving.bytes, 1))
        return criterion(
            "size", "Bytes of weights",
            "\(NumberText.grouped(outcome.serving.bytes)) → \(NumberText.grouped(outcome.candidate.bytes))",
            "at most \(share(settings.maximumGrowth)) more", ratio <= 1 + settings.maximumGrowth)
    }

    /// Distillation can hurt: the student must not be worse than one that labels alone have taught.
    private func alone(_ outcome: Comparison, _ evidence: GateEvidence) -> GateCriterion {
        let title = "Against a student without a teacher"
        guard let logits = evidence.alone, logits.count == outcome.candidate.logits.count,
            logits.allSatisfy(\.isFinite)
        else {
            return unmeasured(
                "without_teacher", title, "not worse",
                "there are too few labels to learn from alone, or there was no time")
        }
        let correct = Predictions(logits: logits, labelCount: outcome.labels.count).correct(outcome.truth)
        let two = max(2 * settings.confidence - 1, 0.01)
        let bootstrap = PairedBootstrap(
            first: outcome.candidateCorrect, second: correct, confidence: two, seed: seed)
        let accuracy = Double(correct.count { $0 }) / Double(correct.count)
        return criterion(
            "without_teacher", title, "\(share(accuracy)) → \(share(outcome.candidateAccuracy))", "not worse",
            bootstrap.upper >= 0,
            "\(points(bootstrap.difference, signed: true)); the same labels, the same beginning")
    }

    // MARK: Writing down

    private struct Name: Sendable {
        var name: String
        var title: String
        var threshold: @Sendable (RedistillSettings.Gate) -> String
    }

    private static let measuredNames: [Name] = [
        Name(name: "training", title: "Training ended with numbers") { _ in "finite logits" },
        Name(name: "accuracy", title: "Accuracy on the holdout") { "at most \(points($0.maximumAccuracyLoss)) lost" },
        Name(name: "accuracy_at_worst", title: "Its change at worst") {
            "at most \(points($0.maximumPossibleLoss)) lost"
        },
        Name(name: "recall", title: "Recall of the class that loses most") {
            "at most \(points($0.maximumRecallLoss)) lost"
        },
        Name(name: "agreement", title: "Agreement with the teacher on the log") { _ in "better than before" },
        Name(name: "calibration", title: "Calibration error on the holdout") {
            "at most \(NumberText.percent($0.maximumCalibrationError))"
        },
        Name(name: "speed", title: "Lines a second") { "at most \(NumberText.percent($0.maximumSlowdown)) lost" },
        Name(name: "size", title: "Bytes of weights") { "at most \(NumberText.percent($0.maximumGrowth)) more" },
        Name(name: "without_teacher", title: "Against a student without a teacher") { _ in "not worse" },
    ]

    private func criterion(
        _ name: String, _ title: String, _ measured: String, _ threshold: String, _ holds: Bool, _ note: String = ""
    ) -> GateCriterion {
        GateCriterion(
            name: name, title: title, measured: measured, threshold: threshold, verdict: holds ? .passed : .failed,
            note: note)
    }

    private func unmeasured(
        _ name: String, _ title: String, _ threshold: String, _ note: String
    ) -> GateCriterion {
        GateCriterion(
            name: name, title: title, measured: "—", threshold: threshold, verdict: .unmeasured, note: note)
    }

    private func share(_ share: Double) -> String { NumberText.percent(share) }

    private func points(_ share: Double, signed: Bool = false) -> String { Self.points(share, signed: signed) }

    /// A difference of shares in percentage points.
    private static func points(_ share: Double, signed: Bool = false) -> String {
        let text = NumberText.fixed(abs(share) * 100, digits: 2)
        let sign = signed ? (share < 0 ? "−" : "+") : ""
        return "\(sign)\(text) points"
    }
}
