/// Compares the student's agreement with the teacher in recent hours with that of earlier hours.
public enum AgreementTrend: Sendable, Equatable {
    /// Too few lines were audited to judge.
    case unknown
    case steady
    /// The recent agreement is significantly lower than the earlier one.
    case falling

    /// Length of the recent period.
    static let recentSeconds = 6.0 * 3600
    /// Minimum number of audits in each period.
    static let fewestAsked = 20

    /// The trend is falling if the 95 % intervals of the two periods don't overlap. That is stricter than a test at 5
    /// %, which avoids false alarms on a page that is watched all day.
    public init(_ buckets: [AgreementBucket], now: Double) {
        let recent = Self.recent(buckets, now: now)
        let earlier = Self.total(buckets.filter { $0.start + $0.seconds <= now - Self.recentSeconds })
        guard recent.asked >= Self.fewestAsked, earlier.asked >= Self.fewestAsked else {
            self = .unknown
            return
        }
        self = recent.interval.upperBound < earlier.interval.lowerBound ? .falling : .steady
    }

    /// Returns the recent hours as one bucket.
    static func recent(_ buckets: [AgreementBucket], now: Double) -> AgreementBucket {
        total(buckets.filter { $0.start + $0.seconds > now - recentSeconds })
    }

    /// Returns all buckets as one.
    public static func total(_ buckets: [AgreementBucket]) -> AgreementBucket {
        buckets.reduce(into: AgreementBucket(start: buckets.first?.start ?? 0, seconds: 0, asked: 0, agreed: 0)) {
            $0.seconds += $1.seconds
            $0.asked += $1.asked
            $0.agreed += $1.agreed
        }
    }
}

/// How often the teacher agreed with a sure student in a period.
public struct AgreementBucket: Sendable, Equatable, Codable {
    /// Start of the period, in seconds since 1970.
    public var start: Double
    /// Length of the period in seconds.
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

    /// The share of agreement; nil without audits.
    public var share: Double? { asked > 0 ? Double(agreed) / Double(asked) : nil }

    /// The 95 % confidence interval of the true share; 0 to 1 without audits.
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

    /// The share and its bounds for `/metrics`; no samples without audits.
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

    // The bounds are written for readers of the JSON and recomputed when it is read.
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
