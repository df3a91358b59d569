/// How often the teacher agreed with a sure student over a span of time.
public struct AgreementBucket: Sendable, Equatable, Codable {
    /// When the span began, in seconds since 1970.
    public var start: Double
    /// Its length.
    public var seconds: Double
    /// Audited lines that the teacher answered.
    public var asked: Int
    public var agreed: Int

    public init(start: Double, seconds: Double, asked: Int, agreed: Int) {
        self.start = start
        self.seconds = seconds
        self.asked = asked
        self.agreed = agreed
    }

    /// The share of agreement; nil when nothing was asked.
    public var share: Double? { asked > 0 ? Double(agreed) / Double(asked) : nil }

    /// Where the true share lies with 95 % confidence; 0 to 1 when nothing was asked.
    ///
    /// Source: Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    public var interval: ClosedRange<Double> {
        guard asked > 0 else { return 0...1 }
        let z = 1.959963984540054
        let n = Double(asked)
        let p = min(1, max(0, Double(agreed) / n))
        let middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        return max(0, middle - half)...min(1, middle + half)
    }

    /// The share and its bounds for `/metrics`; no samples when nothing was asked.
    var family: MetricFamily {
        var family = MetricFamily(
            .gauge, "understudy_audit_agreement_ratio",
            "Share of audited lines on which the teacher agreed over the last two days, and its 95 % interval.")
        guard let share else { return family }
        family.add(share, ("bound", "estimate"))
        family.add(interval.lowerBound, ("bound", "low"))
        family.add(interval.upperBound, ("bound", "high"))
        return family
    }

    // The bounds are written for readers of the JSON and computed again when it is read.
    private enum CodingKeys: String, CodingKey {
        case start, seconds, asked, agreed, low, high
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        start = try values.decode(Double.self, forKey: .start)
        seconds = try values.decode(Double.self, forKey: .seconds)
        asked = try values.decode(Int.self, forKey: .asked)
        agreed = try values.decode(Int.self, forKey: .agreed)
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(start, forKey: .start)
        try values.encode(seconds, forKey: .seconds)
        try values.encode(asked, forKey: .asked)
        try values.encode(agreed, forKey: .agreed)
        try values.encode(interval.lowerBound, forKey: .low)
        try values.encode(interval.upperBound, forKey: .high)
    }
}
