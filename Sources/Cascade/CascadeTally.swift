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

    /// Every counter but the shadow's.
    private static let counters: [any WritableKeyPath<CascadeTally, Int> & Sendable] = [
        \.lines, \.blank, \.byTeacher, \.deferred, \.audited, \.auditedAlike, \.disagreements, \.tokens,
        \.unknownTokens,
    ]
    private static let countersByIndex: [any WritableKeyPath<CascadeTally, [Int]> & Sendable] = [
        \.flaws, \.answers, \.skips, \.confidences, \.studentLabels, \.studentConfidences,
    ]

    public mutating func add(_ other: CascadeTally) {
        for counter in Self.counters { self[keyPath: counter] += other[keyPath: counter] }
        for counters in Self.countersByIndex { Self.add(other[keyPath: counters], to: &self[keyPath: counters]) }
        shadow.add(other.shadow)
    }

    /// Sets all counts to 0 and keeps the memory.
    mutating func reset() {
        for counter in Self.counters { self[keyPath: counter] = 0 }
        for counters in Self.countersByIndex { Self.reset(&self[keyPath: counters]) }
        shadow = ShadowTally()
    }

    private static func add(_ counts: [Int], to sums: inout [Int]) {
        for index in sums.indices { sums[index] += counts[index] }
    }

    private static func reset(_ counts: inout [Int]) {
        for index in counts.indices { counts[index] = 0 }
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

    private static let counters: [any WritableKeyPath<ShadowTally, Int> & Sendable] = [
        \.lines, \.alike, \.broken, \.bothRight, \.onlyStudentRight, \.onlyShadowRight, \.noneRight,
    ]

    public mutating func add(_ other: ShadowTally) {
        for counter in Self.counters { self[keyPath: counter] += other[keyPath: counter] }
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
