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
                evidence.overlap > 0 ? "\(evidence.overlap) lines; they aren't learnt from" : ""),
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
        guard evidence.logitsCompared > 0 else { return question.unanswered("the teacher has been asked anew") }
        let holds = Double(evidence.logitsHeld) >= GateQuestions.logitsShare * Double(evidence.logitsCompared)
        return question.answered(
            "\(evidence.logitsHeld) of \(evidence.logitsCompared)", holds,
            holds ? "" : "the log says otherwise than the teacher that it names")
    }

    // MARK: The candidate

    private func aboutCandidate(_ evidence: GateEvidence, _ questions: GateQuestions) -> [GateCriterion] {
        guard let candidate = evidence.candidate, let serving = evidence.serving else {
            return questions.aboutCandidate.map { $0.unanswered() }
        }
        let outcome = Comparison(evidence, candidate, serving)
        let training = questions.training.answered(
            outcome.isFinite ? "\(evidence.epochs) epochs" : "not finite", outcome.isFinite,
            evidence.wasCutShort ? "the time was over; the best epoch so far is judged" : "")
        guard outcome.isFinite else {
            return [training] + questions.aboutCandidate.dropFirst().map { $0.unanswered() }
        }
        let bootstrap = bootstrap(outcome.candidateCorrect, outcome.servingCorrect)
        // The slack keeps a loss that is exactly what is allowed from failing by rounding.
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

    /// How much of the stream each student would have to defer, so that its own answers are wrong as seldom as the target
    /// says.
    private func load(
        _ question: GateQuestion, _ outcome: Comparison, _ evidence: GateEvidence
    ) -> GateCriterion {
        guard let target = evidence.targetError else {
            return question.unanswered("the serving student has no threshold of its own to take the error from")
        }
        let before = outcome.deferred(outcome.serving, outcome.servingCorrect, target)
        let after = outcome.deferred(outcome.candidate, outcome.candidateCorrect, target)
        let allowed = settings.allowedLoad(serving: before)
        return question.answered(
            "\(share(before)) → \(NumberText.percent(after, apartFrom: allowed))", after <= allowed + 1e-12,
            "at an error of \(NumberText.percent(target, digits: 2)) among a student's own answers; "
                + "\(share(allowed)) is allowed")
    }

    /// A difference with enough digits to see on which side of `limit` it is.
    private func points(_ difference: Double, _ limit: Double) -> String {
        GateText.points(difference, signed: true, apartFrom: limit)
    }

    private func change(_ difference: Double, _ limit: Double) -> String {
        ", \(difference < 0 ? "−" : "+")\(NumberText.percent(abs(difference), apartFrom: abs(limit)))"
    }

    /// What the settings allow, or what the serving student has where that is more.
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
            "\(share(before)) → \(share(after))", after > before, "\(teacher.count) lines that are never learnt from")
    }

    /// Distillation can hurt: the student must not be worse than one that labels alone have taught.
    private func alone(_ question: GateQuestion, _ outcome: Comparison, _ evidence: GateEvidence) -> GateCriterion {
        guard let logits = evidence.alone, logits.count == outcome.candidate.logits.count,
            logits.allSatisfy(\.isFinite)
        else { return question.unanswered("there are too few labels to learn from alone, or there was no time") }
        let correct = Predictions(logits: logits, labelCount: outcome.labels.count).correct(outcome.truth)
        let bootstrap = bootstrap(outcome.candidateCorrect, correct)
        let accuracy = Double(correct.count { $0 }) / Double(correct.count)
        return question.answered(
            "\(share(accuracy)) → \(share(outcome.candidateAccuracy))", bootstrap.upper >= 0,
            "\(GateText.points(bootstrap.difference, signed: true)); the same labels, the same beginning")
    }

    /// Its bounds are one-sided at `confidence`: those of the two-sided interval of twice the error.
    private func bootstrap(_ first: [Bool], _ second: [Bool]) -> PairedBootstrap {
        PairedBootstrap(
            first: first, second: second, confidence: max(2 * settings.confidence - 1, 0.01), seed: seed)
    }

    private func share(_ share: Double) -> String { NumberText.percent(share) }
}
