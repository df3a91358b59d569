import Store

/// What the audit says of the student that was promoted last.
public struct PromotionReading: Sendable, Equatable, Codable {
    public enum Verdict: String, Sendable, Codable {
        /// There is nothing to compare with.
        case unknown
        case following
        /// It was followed to the end of the window and stays.
        case kept
        case rolledBack = "rolled_back"
    }

    public struct Audits: Sendable, Equatable, Codable {
        public var asked: Int
        public var agreed: Int

        init(_ agreement: Agreement) {
            asked = agreement.asked
            agreed = agreement.agreed
        }
    }

    public var version: String
    public var predecessor: String
    /// Seconds since 1970.
    public var promotedAt: Double
    public var verdict = Verdict.unknown
    /// One sentence.
    public var sentence = ""
    public var audits: Audits
    public var predecessorAudits: Audits
}
