/// What the teacher's help buys: the share of lines deferred to it against the accuracy of the two together.
///
/// The least confident lines are deferred first; of equal confidences, the earlier line.
public struct CostAccuracyCurve: Sendable, Equatable {
    public struct Point: Sendable, Equatable {
        /// The share of lines that the teacher answers, as asked for, 0 to 1.
        public let share: Double
        /// Lines that the teacher answers: share · n, rounded.
        public let deferred: Int
        /// The share of all lines that are answered right.
        public let accuracy: Double
        /// The least confidence among the lines that the student keeps; 1 where it keeps none.
        public let threshold: Float
    }

    /// Lines in all.
    public var count: Int { correctAfterDeferring.count - 1 }
    // (n + 1): right answers when the k least confident lines go to the teacher.
    private let correctAfterDeferring: [Int]
    // (n), rising.
    private let sortedConfidences: [Float]

    /// All (n): the student's confidences, whether it is right, whether the teacher is.
    public init(confidences: [Float], studentCorrect: [Bool], teacherCorrect: [Bool]) {
        precondition(
            confidences.count == studentCorrect.count && confidences.count == teacherCorrect.count,
            "a cascade needs both models' outcomes for every line")
        let order = confidences.indices.sorted { (confidences[$0], $0) < (confidences[$1], $1) }
        var correct = studentCorrect.reduce(0) { $0 + ($1 ? 1 : 0) }
        var running = [correct]
        running.reserveCapacity(order.count + 1)
        for line in order {
            correct += (teacherCorrect[line] ? 1 : 0) - (studentCorrect[line] ? 1 : 0)
            running.append(correct)
        }
        correctAfterDeferring = running
        sortedConfidences = order.map { confidences[$0] }
    }

    /// The cascade's accuracy when the `deferred` least confident lines go to the teacher; 0 for no lines.
    public func accuracy(deferring deferred: Int) -> Double {
        count == 0 ? 0 : Double(correctAfterDeferring[deferred]) / Double(count)
    }

    /// The point at a share, 0 to 1.
    public func point(share: Double) -> Point {
        point(share: share, deferred: min(count, max(0, Int((share * Double(count)).rounded()))))
    }

    /// The point that a threshold gives: lines with less confidence are deferred.
    public func point(threshold: Float) -> Point {
        var deferred = 0
        while deferred < count, sortedConfidences[deferred] < threshold { deferred += 1 }
        return point(share: Double(deferred) / Double(max(count, 1)), deferred: deferred)
    }

    private func point(share: Double, deferred: Int) -> Point {
        Point(
            share: share, deferred: deferred, accuracy: accuracy(deferring: deferred),
            threshold: deferred < count ? sortedConfidences[deferred] : 1)
    }

    /// The points of the table: 0, 5, 10, 20, 30, 50 and 100 %.
    public var table: [Point] { [0, 0.05, 0.1, 0.2, 0.3, 0.5, 1].map { point(share: $0) } }

    /// Points at equal steps from 0 to 1, for drawing.
    public func points(steps: Int = 200) -> [Point] {
        (0...max(steps, 1)).map { point(share: Double($0) / Double(max(steps, 1))) }
    }
}
