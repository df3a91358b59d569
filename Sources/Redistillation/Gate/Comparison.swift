import Distillation

/// Candidate and serving student on the same lines of the holdout.
struct Comparison {
    let labels: [String]
    let truth: [Int32]
    let candidate: GateEvidence.Measured
    let serving: GateEvidence.Measured
    /// Whether all logits of the candidate are numbers. If not, the rest says nothing.
    let isFinite: Bool
    let candidateCorrect: [Bool]
    let servingCorrect: [Bool]

    init(_ evidence: GateEvidence, _ candidate: GateEvidence.Measured, _ serving: GateEvidence.Measured) {
        labels = evidence.labels
        truth = evidence.truth
        self.candidate = candidate
        self.serving = serving
        let count = evidence.truth.count * evidence.labels.count
        isFinite =
            !evidence.truth.isEmpty && candidate.logits.count == count && serving.logits.count == count
            && candidate.logits.allSatisfy(\.isFinite) && serving.logits.allSatisfy(\.isFinite)
        guard isFinite else {
            candidateCorrect = []
            servingCorrect = []
            return
        }
        candidateCorrect = Predictions(logits: candidate.logits, labelCount: labels.count).correct(truth)
        servingCorrect = Predictions(logits: serving.logits, labelCount: labels.count).correct(truth)
    }

    var candidateAccuracy: Double { Self.share(candidateCorrect) }
    var servingAccuracy: Double { Self.share(servingCorrect) }

    /// For each label how the recall has changed; 0 for one without lines.
    var recallChanges: [Double] {
        var lines = [Int](repeating: 0, count: labels.count)
        var change = [Int](repeating: 0, count: labels.count)
        for (line, label) in truth.enumerated() {
            lines[Int(label)] += 1
            change[Int(label)] += (candidateCorrect[line] ? 1 : 0) - (servingCorrect[line] ? 1 : 0)
        }
        return zip(change, lines).map { $1 > 0 ? Double($0) / Double($1) : 0 }
    }

    /// The share of the holdout that a student defers where its own answers are to have the error `target`.
    func deferred(_ student: GateEvidence.Measured, _ correct: [Bool], _ target: Double) -> Double {
        let predictions = Predictions(
            logits: student.logits, labelCount: labels.count, temperature: student.temperature)
        return TargetErrorThreshold(
            confidences: predictions.confidences, correct: correct, targetError: target
        ).deferredShare
    }

    private static func share(_ hits: [Bool]) -> Double { Double(hits.count { $0 }) / Double(max(hits.count, 1)) }
}
