/// What was fitted on held-out lines after a student's training, so that its probabilities can be trusted.
public struct Calibration: Sendable, Equatable, Codable {
    /// Logits are divided by this before the softmax (Guo et al. 2017, section 4.2). Above 0; 1 changes nothing.
    public var temperature: Float
    /// A line whose certainty under `policy` is below this is deferred to the teacher. 0 (never) … 1 (always).
    public var deferralThreshold: Float
    /// The deferral policy that the threshold belongs to.
    public var policy: String
    /// The lines that it was fitted on, in words; nil where that isn't known.
    public var holdoutDescription: String?

    public init(
        temperature: Float, deferralThreshold: Float, policy: String = "confidence", holdoutDescription: String? = nil
    ) {
        self.temperature = temperature
        self.deferralThreshold = deferralThreshold
        self.policy = policy
        self.holdoutDescription = holdoutDescription
    }
}
