/// The minimum confidence of the student's answers: lines with less confidence are deferred.
public struct DeferralThreshold: Sendable, Equatable {
    /// Between 0 (never defer) and 1.
    public let threshold: Float
    /// The share of the validation lines that it defers.
    public let share: Double
    /// The cascade's accuracy on the validation lines.
    public let accuracy: Double
    /// Whether the required accuracy is reached; if not, the threshold is the best within the largest share.
    public let isReached: Bool

    /// Two thousandths (0.2 points) is well below what a few thousand validation lines can resolve.
    public static let defaultTolerance = 0.002
    /// Beyond three lines in ten the teacher's cost dominates and the student has no benefit.
    public static let defaultLargestShare = 0.3

    /// The smallest threshold at which the cascade is within `tolerance` of the teacher's accuracy, deferring no more
    /// than `largestShare` of the lines. If there is none, the smallest one with the best accuracy within that share.
    ///
    /// All arrays are (n), from validation lines: the student's confidences at its temperature, whether the student is
    /// right, whether the teacher is right.
    public static func fit(
        confidences: [Float], studentCorrect: [Bool], teacherCorrect: [Bool], tolerance: Double = defaultTolerance,
        largestShare: Double = defaultLargestShare
    ) -> DeferralThreshold {
        let curve = CostAccuracyCurve(
            confidences: confidences, studentCorrect: studentCorrect, teacherCorrect: teacherCorrect)
        let sorted = confidences.sorted()
        let goal = curve.accuracy(deferring: curve.count) - tolerance
        var best = 0
        for deferred in 0...sorted.count {
            // Lines of equal confidence are deferred together.
            if deferred > 0, deferred < sorted.count, sorted[deferred] == sorted[deferred - 1] { continue }
            if Double(deferred) > largestShare * Double(sorted.count) { break }
            // The slack keeps rounding from failing a goal that is met exactly.
            if curve.accuracy(deferring: deferred) >= goal - 1e-12 {
                return made(curve: curve, sorted: sorted, deferred: deferred, isReached: true)
            }
            if curve.accuracy(deferring: deferred) > curve.accuracy(deferring: best) { best = deferred }
        }
        return made(curve: curve, sorted: sorted, deferred: best, isReached: false)
    }

    /// The threshold that defers `share` of the lines, or the next smaller share if lines tie.
    public static func deferring(share: Double, confidences: [Float]) -> Float {
        let sorted = confidences.sorted()
        var deferred = min(sorted.count, max(0, Int((share * Double(sorted.count)).rounded())))
        while deferred > 0, deferred < sorted.count, sorted[deferred] == sorted[deferred - 1] { deferred -= 1 }
        return between(sorted, deferred)
    }

    private static func made(
        curve: CostAccuracyCurve, sorted: [Float], deferred: Int, isReached: Bool
    ) -> DeferralThreshold {
        DeferralThreshold(
            threshold: between(sorted, deferred), share: Double(deferred) / Double(max(sorted.count, 1)),
            accuracy: curve.accuracy(deferring: deferred), isReached: isReached)
    }

    /// A threshold that defers exactly the first `deferred` of the ascending confidences: halfway to the next one, so
    /// that rounding in a faster kernel moves no line across it.
    static func between(_ sorted: [Float], _ deferred: Int) -> Float {
        guard deferred > 0 else { return 0 }
        guard deferred < sorted.count else { return min(1, sorted[deferred - 1].nextUp) }
        let middle = sorted[deferred - 1] + (sorted[deferred] - sorted[deferred - 1]) / 2
        return middle > sorted[deferred - 1] ? middle : sorted[deferred]
    }
}

/// The lowest threshold at which the error among the student's own answers, measured on labelled lines, is within a
/// target. It shows how much of the teacher's time a student needs to be that reliable.
///
/// This compares two students on the same lines. For a guarantee on future lines see `SplitConformal`.
public struct TargetErrorThreshold: Sendable, Equatable {
    /// Lines with less confidence are deferred.
    public let threshold: Float
    /// The share of the lines that it defers; 1 if no threshold meets the target.
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
            // The slack keeps rounding from failing a target that is met exactly.
            if Double(errors) <= targetError * Double(answered) + 1e-9 { kept = answered }
        }
        let rising = order.reversed().map { confidences[$0] }
        threshold = DeferralThreshold.between(rising, rising.count - kept)
        deferredShare = order.isEmpty ? 0 : Double(order.count - kept) / Double(order.count)
    }

    /// The share of wrong answers among the lines at or above `threshold`; nil if there are none.
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
