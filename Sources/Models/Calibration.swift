/// Values fitted on held-out lines after a student's training, which make its probabilities reliable.
public struct Calibration: Sendable, Equatable, Codable {
    /// Logits are divided by this before the softmax (Guo et al. 2017, section 4.2). Above 0; 1 has no effect.
    public var temperature: Float
    /// A line whose certainty under `policy` is below this is deferred to the teacher. 0 (never) … 1 (always).
    public var deferralThreshold: Float
    /// The deferral policy that the threshold belongs to.
    public var policy: String
    /// A description of the lines that it was fitted on; nil if unknown.
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

/// A classifier with values fitted on its validation lines.
public protocol CalibratedClassifier: LineClassifier {
    /// Logits are divided by this before softmax; 1 if none was fitted.
    var temperature: Float { get }
    /// Lines with less confidence (after temperature) are deferred to the teacher; nil if none was fitted.
    var deferralThreshold: Float? { get }
}
