public struct Calibration: Sendable, Equatable, Codable {
    public var temperature: Float
    public var deferralThreshold: Float
    public var policy: String
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
