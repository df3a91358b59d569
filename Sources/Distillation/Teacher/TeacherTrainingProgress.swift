/// Where a fine-tuning is. It has no clock: whoever shows it knows the time.
public struct TeacherTrainingProgress: Sendable, Equatable {
    public enum Stage: Sendable, Equatable {
        /// The frozen blocks' output is being computed.
        case frozenLayers
        case training
        /// An epoch has ended and been measured on the validation lines.
        case validated(accuracy: Double, loss: Double, isBest: Bool)
    }

    public var stage: Stage
    /// From 1; 0 before training.
    public var epoch: Int
    public var epochs: Int
    /// Lines of this stage (the frozen layers, or all epochs together) that are done, and in all.
    public var linesDone: Int
    public var linesTotal: Int
    /// Mean loss of the epoch's lines so far.
    public var loss: Double
    /// Share of the epoch's lines so far that were classified right, dropout on.
    public var accuracy: Double
}
