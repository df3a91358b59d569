/// What came of a fine-tuning; the weights are in the trainer.
public struct TeacherTrainingResult: Sendable, Equatable, Codable {
    /// One epoch's measures.
    public struct Epoch: Sendable, Equatable, Codable {
        /// Mean over the epoch's training lines, dropout on.
        public var trainingLoss: Double
        public var trainingAccuracy: Double
        public var validationLoss: Double?
        public var validationAccuracy: Double?
    }

    public var epochs: [Epoch]
    /// The epoch whose weights were kept, from 1.
    public var bestEpoch: Int
    /// True where the caller stopped it.
    public var wasCancelled: Bool
}
