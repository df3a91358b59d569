/// Which model answers.
public struct ModelInfo: Sendable, Equatable, Codable {
    public var version: String
    /// Of the model's files; nil where it wasn't computed.
    public var fingerprint: String?
    /// When it began to answer, in seconds since 1970.
    public var loadedAt: Double

    /// The beginning that tells fingerprints apart: 12 hexadecimal digits; empty where there is none.
    public var shortFingerprint: String { String((fingerprint ?? "").prefix(12)) }

    public init(version: String, fingerprint: String? = nil, loadedAt: Double) {
        self.version = version
        self.fingerprint = fingerprint
        self.loadedAt = loadedAt
    }
}
