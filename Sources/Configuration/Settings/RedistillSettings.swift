/// How a new student is made from the disagreement log, and when it is let in.
public struct RedistillSettings: Sendable, Equatable {
    public struct Gate: Sendable, Equatable {
        /// Accuracy on the holdout that the new student may lose, as a share: 0.002 is 0.2 percentage points.
        public var maximumAccuracyLoss: Double
        /// Confidence of the paired bootstrap, as a share.
        public var confidence: Double
    }

    /// The base transfer set, JSON Lines.
    public var train: String
    /// The frozen labelled lines of the gate, JSON Lines.
    public var holdout: String
    public var minimumNewRows: Int
    public var gate: Gate
}
