/// Student and teacher measured together on the same labelled lines.
public struct CascadeEvaluation: Sendable {
    /// The share of lines to which both give the same label.
    public let agreement: Double
    public let curve: CostAccuracyCurve
    /// Where the student's own threshold puts the cascade; nil where it has none.
    public let ownPoint: CostAccuracyCurve.Point?
    public let ownThreshold: Float?
    /// Lines by who is right.
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
