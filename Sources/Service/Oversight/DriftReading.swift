/// How the stream compares with what the student learnt from, at one moment.
public struct DriftReading: Sendable, Equatable, Codable {
    public enum Verdict: String, Sendable, Codable {
        /// Too few lines were answered.
        case unknown
        case steady
        case drifting
    }

    public struct Share: Sendable, Equatable, Codable {
        public var label: String
        /// Among the reference's lines, and now: shares of the labels that the student gave.
        public var reference: Double
        public var now: Double
    }

    public var verdict = Verdict.unknown
    /// Lines of the window, and of the reference.
    public var lines = 0
    public var referenceLines = 0
    /// Whether the reference comes from the student's making, or is the first lines that it answered here.
    public var referenceIsOwn = false
    public var windowHours = 0
    /// Population stability indices; nil while too few lines were answered.
    public var labelIndex: Double?
    public var confidenceIndex: Double?
    public var maximumIndex = 0.25
    /// Lines of the window from which on drift is judged; nil from a daemon of an older release.
    public var minimumLines: Int?
    /// Share of tokens that the tokenizer doesn't know; nil where none is counted.
    public var unknownTokenShare: Double?
    public var referenceUnknownTokenShare: Double?
    public var labels: [Share] = []

    /// The larger of both.
    public var index: Double? {
        guard let labelIndex, let confidenceIndex else { return nil }
        return max(labelIndex, confidenceIndex)
    }
}
