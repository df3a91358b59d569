import Models
import Streams

/// Counts of lines by outcome.
public struct CascadeTally: Sendable, Equatable {
    /// All lines: answered, blank and refused.
    public var lines = 0
    public var blank = 0
    /// Refused lines, by `LineFlaw.Kind.index`.
    public var flaws = [Int](repeating: 0, count: LineFlaw.Kind.allCases.count)
    /// Answered lines, by the student's label index.
    public var answers: [Int]
    /// Answered lines with the teacher's answer.
    public var byTeacher = 0
    /// Lines that the policy deferred to the teacher.
    public var deferred = 0
    /// Lines audited by the teacher, and those of them with the student's label.
    public var audited = 0
    public var auditedAlike = 0
    /// Deferred lines without a usable answer of the teacher, by `Skip.index`.
    public var skips = [Int](repeating: 0, count: Skip.allCases.count)
    /// Deferred lines that the teacher answered with another label than the student.
    public var disagreements = 0
    /// Answers by confidence, in bins of equal width from 0 to 1.
    public var confidences = [Int](repeating: 0, count: CascadeTally.confidenceBins)

    /// The student's answers, including lines with the teacher's: by its label, and by its confidence in the bins of
    /// `StudentReference`.
    public var studentLabels: [Int]
    public var studentConfidences = [Int](repeating: 0, count: StudentReference.confidenceBins)
    /// Tokens that the student read, and those unknown to its tokenizer; 0 if they aren't counted.
    public var tokens = 0
    public var unknownTokens = 0
    public var shadow = ShadowTally()

    public static let confidenceBins = 20

    /// Why the teacher did not answer.
    public enum Skip: String, Sendable, CaseIterable {
        /// Its queue was full.
        case full
        /// It couldn't be loaded, it failed, or its logits weren't finite.
        case broken
        /// The wait was too long.
        case timeout

        public var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    public init(labels: Int) {
        answers = [Int](repeating: 0, count: labels)
        studentLabels = answers
    }

    public var skipped: Int { skips.reduce(0, +) }

    /// Counts an answer by confidence.
    mutating func count(_ confidence: Float) {
        // A bound is part of the bin below it, as with Prometheus's `le`: 0.05 is in the first bin.
        let bin = Int((confidence * Float(Self.confidenceBins)).rounded(.up)) - 1
        confidences[min(Self.confidenceBins - 1, max(0, bin))] += 1
    }

    /// Counts the student's answer to a line.
    mutating func count(student: Verdict) {
        studentLabels[student.label] += 1
        studentConfidences[StudentReference.bin(student.confidence)] += 1
    }

    public var refused: Int { flaws.reduce(0, +) }
    public var answered: Int { answers.reduce(0, +) }

    public mutating func add(_ other: CascadeTally) {
        lines += other.lines
        blank += other.blank
        for index in flaws.indices { flaws[index] += other.flaws[index] }
        for index in answers.indices { answers[index] += other.answers[index] }
        byTeacher += other.byTeacher
        deferred += other.deferred
        audited += other.audited
        auditedAlike += other.auditedAlike
        for index in skips.indices { skips[index] += other.skips[index] }
        disagreements += other.disagreements
        for index in studentLabels.indices { studentLabels[index] += other.studentLabels[index] }
        for index in studentConfidences.indices { studentConfidences[index] += other.studentConfidences[index] }
        tokens += other.tokens
        unknownTokens += other.unknownTokens
        shadow.add(other.shadow)
        for index in confidences.indices { confidences[index] += other.confidences[index] }
    }

    /// Sets all counts to 0 and keeps the memory.
    mutating func reset() {
        lines = 0
        blank = 0
        for index in flaws.indices { flaws[index] = 0 }
        for index in answers.indices { answers[index] = 0 }
        byTeacher = 0
        deferred = 0
        audited = 0
        auditedAlike = 0
        for index in skips.indices { skips[index] = 0 }
        disagreements = 0
        for index in studentLabels.indices { studentLabels[index] = 0 }
        for index in studentConfidences.indices { studentConfidences[index] = 0 }
        tokens = 0
        unknownTokens = 0
        shadow = ShadowTally()
        for index in confidences.indices { confidences[index] = 0 }
    }
}

/// Counts of a shadow's answers compared with the student's.
public struct ShadowTally: Sendable, Equatable {
    /// Lines that both answered, and those of them with equal labels.
    public var lines = 0
    public var alike = 0
    /// Lines for which the shadow's logits weren't finite.
    public var broken = 0
    /// Lines that the teacher answered as well, by which of the two agreed with it.
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

    /// Counts a line with the teacher's answer `teacher`.
    mutating func judge(student: Int, shadow: Int, teacher: Int) {
        switch (student == teacher, shadow == teacher) {
        case (true, true): bothRight += 1
        case (true, false): onlyStudentRight += 1
        case (false, true): onlyShadowRight += 1
        case (false, false): noneRight += 1
        }
    }
}
