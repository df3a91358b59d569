import Streams

/// Counts of what became of the lines.
public struct CascadeTally: Sendable, Equatable {
    /// All lines: answered, blank and refused ones.
    public var lines = 0
    public var blank = 0
    /// Lines refused, by `LineFlaw.Kind.index`.
    public var flaws = [Int](repeating: 0, count: LineFlaw.Kind.allCases.count)
    /// Lines answered, by label of the student.
    public var answers: [Int]
    /// Lines that the policy wanted the teacher to see.
    public var deferred = 0
    /// Of those, the ones that the teacher gave no usable answer about.
    public var skipped = 0
    /// Of those that it did answer, the ones where it said another label than the student.
    public var disagreements = 0

    public init(labels: Int) {
        answers = [Int](repeating: 0, count: labels)
    }

    public var refused: Int { flaws.reduce(0, +) }
    public var answered: Int { answers.reduce(0, +) }

    mutating func add(_ other: CascadeTally) {
        lines += other.lines
        blank += other.blank
        for index in flaws.indices { flaws[index] += other.flaws[index] }
        for index in answers.indices { answers[index] += other.answers[index] }
        deferred += other.deferred
        skipped += other.skipped
        disagreements += other.disagreements
    }

    /// Sets all to 0 and keeps the memory.
    mutating func reset() {
        lines = 0
        blank = 0
        for index in flaws.indices { flaws[index] = 0 }
        for index in answers.indices { answers[index] = 0 }
        deferred = 0
        skipped = 0
        disagreements = 0
    }
}
