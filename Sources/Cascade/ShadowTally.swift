/// Counts of what a shadow said beside the student.
public struct ShadowTally: Sendable, Equatable {
    /// Lines that both answered, and those of them with the same label.
    public var lines = 0
    public var alike = 0
    /// Lines about which its logits weren't finite numbers.
    public var broken = 0
    /// Of the lines that the teacher answered too: who said the teacher's label.
    public var bothRight = 0
    public var onlyStudentRight = 0
    public var onlyShadowRight = 0
    public var noneRight = 0

    public init() {}

    /// Lines that all three answered.
    public var judged: Int { bothRight + onlyStudentRight + onlyShadowRight + noneRight }

    public mutating func add(_ other: ShadowTally) {
        lines += other.lines
        alike += other.alike
        broken += other.broken
        bothRight += other.bothRight
        onlyStudentRight += other.onlyStudentRight
        onlyShadowRight += other.onlyShadowRight
        noneRight += other.noneRight
    }

    /// Counts a line that the teacher answered with `teacher`.
    mutating func judge(student: Int, shadow: Int, teacher: Int) {
        switch (student == teacher, shadow == teacher) {
        case (true, true): bothRight += 1
        case (true, false): onlyStudentRight += 1
        case (false, true): onlyShadowRight += 1
        case (false, false): noneRight += 1
        }
    }
}
