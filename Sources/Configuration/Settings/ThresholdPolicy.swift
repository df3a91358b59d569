/// Where the certainty below which the teacher is asked comes from.
public enum ThresholdPolicy: Sendable, Equatable {
    /// It was fitted when the student was calibrated, and travels with the student.
    case calibrated
    /// 0: never ask. 1: ask about every line.
    case fixed(Double)
    /// The share of wrong answers to stay below, 0 … 1; the threshold comes from the holdout by split conformal.
    case targetError(Double)
    /// The share of lines that the teacher may see, 0 … 1; the threshold follows.
    case budgetShare(Double)
    /// The lines that the teacher may see in a second; the threshold follows.
    case budgetLinesPerSecond(Double)
}
