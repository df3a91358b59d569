import Models
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
    /// Of those, the ones whose answer is the teacher's.
    public var byTeacher = 0
    /// Lines that the policy wanted the teacher to see.
    public var deferred = 0
    /// Sure lines that the teacher saw as well, and those of them where it said the student's label.
    public var audited = 0
    public var auditedAlike = 0
    /// Deferred lines that the teacher gave no usable answer about, by `Skip.index`.
    public var skips = [Int](repeating: 0, count: Skip.allCases.count)
    /// Of the deferred lines that it did answer, the ones where it said another label than the student.
    public var disagreements = 0
    /// Answers by their confidence, in bins of equal width from 0 to 1.
    public var confidences = [Int](repeating: 0, count: CascadeTally.confidenceBins)

    /// What the student said, also where the answer is the teacher's: lines by its label, and by its confidence in the
    /// bins of `StudentReference`.
    public var studentLabels: [Int]
    public var studentConfidences = [Int](repeating: 0, count: StudentReference.confidenceBins)
    /// Tokens that the student read, and those of them that its tokenizer doesn't know; 0 where nobody counts.
    public var tokens = 0
    public var unknownTokens = 0
    public var shadow = ShadowTally()

    public static let confidenceBins = 20

    /// Why the teacher gave no answer.
    public enum Skip: String, Sendable, CaseIterable {
        /// Its queue was full.
        case full
        /// It couldn't be loaded, or its logits weren't finite numbers.
        case broken
        /// It took too long.
        case timeout

        public var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    public init(labels: Int) {
        answers = [Int](repeating: 0, count: labels)
        studentLabels = answers
    }

    public var skipped: Int { skips.reduce(0, +) }

    /// Counts an answer by its confidence.
    mutating func count(_ confidence: Float) {
        // A bound belongs to the bin below it, as `le` in Prometheus says: 0.05 is in the first bin.
        let bin = Int((confidence * Float(Self.confidenceBins)).rounded(.up)) - 1
        confidences[min(Self.confidenceBins - 1, max(0, bin))] += 1
    }

    /// Counts what the student said of a line.
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

    /// Sets all to 0 and keeps the memory.
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
