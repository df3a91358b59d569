import Models

/// How a student is trained, apart from what it is (`StudentConfiguration`) and on what.
public struct StudentTrainingOptions: Sendable, Equatable {
    public enum Order: String, Sendable, CaseIterable {
        /// A new random order every epoch.
        case shuffled
        /// As the lines stand in the files.
        case file
    }

    public var loss = DistillationLoss()
    public var optimizer = OptimizerOptions()
    public var dropout = StudentPass.Dropout()
    /// Share of tokens replaced by the unknown token, drawn anew every epoch (Tang et al. 2019, §3.2, masking).
    public var tokenDropout: Float = 0
    /// The id that stands in for dropped tokens.
    public var unknownToken: Int32 = 0
    public var epochs = 10
    /// Lines of one step.
    public var batch = 64
    public var order = Order.shuffled
    public var seed: UInt64 = 0
    /// Parts of a batch that are worked on at once. The result depends on it by rounding only.
    public var threads = 2

    public init() {}
}
