/// How far a training run has come; reported after steps and at the end of epochs.
public struct TrainingProgress: Sendable {
    /// From 1.
    public var epoch: Int
    public var epochs: Int
    /// Lines of this epoch that are done, and all of them.
    public var lines: Int
    public var totalLines: Int
    /// Mean loss over this epoch's lines so far.
    public var loss: Double
    /// Accuracy over this epoch's labelled lines so far; nil when there were none.
    public var accuracy: Double?
    /// Of the epoch that has just ended; nil before that or without validation lines.
    public var validationAccuracy: Double?

    public var isEndOfEpoch: Bool { lines == totalLines }
}
