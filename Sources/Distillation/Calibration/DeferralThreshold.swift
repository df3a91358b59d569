/// From which confidence on the student answers itself: lines with less confidence than the threshold are deferred.
public struct DeferralThreshold: Sendable, Equatable {
    /// Between 0 (never ask) and 1.
    public let threshold: Float
    /// The share of the validation lines that it defers.
    public let share: Double
    /// The cascade's accuracy on the validation lines.
    public let accuracy: Double
    /// Whether the accuracy asked for is reached; if not, the threshold is the best within the largest share.
    public let isReached: Bool

    /// Two thousandths (0.2 points) is well below what a few thousand validation lines can tell apart.
    public static let defaultTolerance = 0.002
    /// Beyond three lines in ten the teacher's cost dominates and the student has lost its point.
    public static let defaultLargestShare = 0.3

    /// The smallest threshold at which the cascade is within `tolerance` of the teacher's accuracy, deferring no more
    /// than `largestShare` of the lines. Where none is, the smallest that gives the best accuracy within that share.
    ///
    /// All arrays are (n), from validation lines: the student's confidences at its temperature, whether it is right,
    /// whether the teacher is.
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
            // The slack keeps a goal that is met exactly from failing by rounding.
            if curve.accuracy(deferring: deferred) >= goal - 1e-12 {
                return made(curve: curve, sorted: sorted, deferred: deferred, isReached: true)
            }
            if curve.accuracy(deferring: deferred) > curve.accuracy(deferring: best) { best = deferred }
        }
        return made(curve: curve, sorted: sorted, deferred: best, isReached: false)
    }

    /// The threshold that defers `share` of the lines, or the next smaller share where lines tie.
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

    /// A threshold that defers exactly the first `deferred` of the rising confidences: halfway to the next, so that
    /// rounding in a faster kernel moves no line across it.
    static func between(_ sorted: [Float], _ deferred: Int) -> Float {
        guard deferred > 0 else { return 0 }
        guard deferred < sorted.count else { return min(1, sorted[deferred - 1].nextUp) }
        let middle = sorted[deferred - 1] + (sorted[deferred] - sorted[deferred - 1]) / 2
        return middle > sorted[deferred - 1] ? middle : sorted[deferred]
    }
}
