/// The lowest threshold at which the error among the lines that a student answers itself, as measured on labelled lines,
/// is within a target: how much of the teacher's time a student needs to be that reliable.
///
/// This compares two students on the same lines. For a promise about lines to come see `SplitConformal`.
public struct TargetErrorThreshold: Sendable, Equatable {
    /// Lines with less confidence are deferred.
    public let threshold: Float
    /// The share of the lines that it defers; 1 where no threshold keeps the target.
    public let deferredShare: Double

    /// `confidences` and `correct` are (n); lines of equal confidence are answered together.
    public init(confidences: [Float], correct: [Bool], targetError: Double) {
        precondition(confidences.count == correct.count, "\(correct.count) outcomes for \(confidences.count) lines")
        let order = confidences.indices.sorted { confidences[$0] > confidences[$1] }
        var errors = 0
        var kept = 0
        for (index, line) in order.enumerated() {
            if !correct[line] { errors += 1 }
            let answered = index + 1
            if answered < order.count, confidences[order[answered]] == confidences[line] { continue }
            // The slack keeps a target that is met exactly from failing by rounding.
            if Double(errors) <= targetError * Double(answered) + 1e-9 { kept = answered }
        }
        let rising = order.reversed().map { confidences[$0] }
        threshold = DeferralThreshold.between(rising, rising.count - kept)
        deferredShare = order.isEmpty ? 0 : Double(order.count - kept) / Double(order.count)
    }

    /// The share of wrong answers among the lines at or above `threshold`; nil where there is none.
    public static func error(confidences: [Float], correct: [Bool], threshold: Float) -> Double? {
        var answered = 0
        var errors = 0
        for (line, confidence) in confidences.enumerated() where confidence >= threshold {
            answered += 1
            if !correct[line] { errors += 1 }
        }
        return answered > 0 ? Double(errors) / Double(answered) : nil
    }
}
