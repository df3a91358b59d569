/// The accuracy of the cascade as a function of the share of deferred lines.
///
/// The least confident lines are deferred first; of equal confidences, the earlier line.
public struct CostAccuracyCurve: Sendable, Equatable {
    public struct Point: Sendable, Equatable {
        /// The requested share of lines that the teacher answers, 0 to 1.
        public let share: Double
        /// Lines that the teacher answers: share · n, rounded.
        public let deferred: Int
        /// The share of all lines that are answered correctly.
        public let accuracy: Double
        /// The least confidence among the student's own answers; 1 if it has none.
        public let threshold: Float
    }

    /// The total number of lines.
    public var count: Int { correctAfterDeferring.count - 1 }
    // (n + 1): correct answers when the k least confident lines are deferred.
    private let correctAfterDeferring: [Int]
    // (n), ascending.
    private let sortedConfidences: [Float]

    /// All (n): the student's confidences, whether the student is right, whether the teacher is right.
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

    /// The cascade's accuracy when the `deferred` least confident lines are deferred; 0 for no lines.
    public func accuracy(deferring deferred: Int) -> Double {
        count == 0 ? 0 : Double(correctAfterDeferring[deferred]) / Double(count)
    }

    /// The point at a share, 0 to 1.
    public func point(share: Double) -> Point {
        point(share: share, deferred: min(count, max(0, Int((share * Double(count)).rounded()))))
    }

    /// The point at a threshold: lines with less confidence are deferred.
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

/// Student and teacher measured together on the same labelled lines.
public struct CascadeEvaluation: Sendable {
    /// The share of lines for which both give the same label.
    public let agreement: Double
    public let curve: CostAccuracyCurve
    /// The cascade's point at the student's own threshold; nil if it has none.
    public let ownPoint: CostAccuracyCurve.Point?
    public let ownThreshold: Float?
    /// Numbers of lines by which models are right.
    public let bothRight: Int
    public let onlyStudentRight: Int
    public let onlyTeacherRight: Int
    public let bothWrong: Int
    /// The teacher's accuracy minus the student's.
    public let gap: PairedBootstrap

    /// Both evaluations are of the same lines, of which there is at least one.
    public init(student: ModelEvaluation, teacher: ModelEvaluation, ownThreshold: Float?) {
        let count = student.correct.count
        agreement =
            Double((0..<count).count { student.raw.indices[$0] == teacher.raw.indices[$0] }) / Double(max(count, 1))
        curve = CostAccuracyCurve(
            confidences: student.calibrated.confidences, studentCorrect: student.correct,
            teacherCorrect: teacher.correct)
        self.ownThreshold = ownThreshold
        ownPoint = ownThreshold.map(curve.point(threshold:))
        func lines(student isStudentRight: Bool, teacher isTeacherRight: Bool) -> Int {
            (0..<count).count { student.correct[$0] == isStudentRight && teacher.correct[$0] == isTeacherRight }
        }
        bothRight = lines(student: true, teacher: true)
        onlyStudentRight = lines(student: true, teacher: false)
        onlyTeacherRight = lines(student: false, teacher: true)
        bothWrong = lines(student: false, teacher: false)
        gap = PairedBootstrap(first: teacher.correct, second: student.correct)
    }
}
