/// Whether the student still says what the teacher would say: the latest hours against those before.
public enum AgreementTrend: Sendable, Equatable {
    /// Too few lines were checked to tell.
    case unknown
    case steady
    /// The latest agreement is below the earlier one by more than chance explains.
    case falling

    /// The latest span that is judged.
    static let recentSeconds = 6.0 * 3600
    /// Fewer checks than this say nothing about either span.
    static let fewestAsked = 20

    /// Falling when the 95 % intervals of the two spans don't overlap: stricter than a test at 5 %, so that a page that
    /// is looked at all day doesn't cry wolf.
    public init(_ buckets: [AgreementBucket], now: Double) {
        let recent = Self.recent(buckets, now: now)
        let earlier = Self.total(buckets.filter { $0.start + $0.seconds <= now - Self.recentSeconds })
        guard recent.asked >= Self.fewestAsked, earlier.asked >= Self.fewestAsked else {
            self = .unknown
            return
        }
        self = recent.interval.upperBound < earlier.interval.lowerBound ? .falling : .steady
    }

    /// The latest hours as one bucket.
    static func recent(_ buckets: [AgreementBucket], now: Double) -> AgreementBucket {
        total(buckets.filter { $0.start + $0.seconds > now - recentSeconds })
    }

    /// All buckets as one.
    public static func total(_ buckets: [AgreementBucket]) -> AgreementBucket {
        buckets.reduce(into: AgreementBucket(start: buckets.first?.start ?? 0, seconds: 0, asked: 0, agreed: 0)) {
            $0.seconds += $1.seconds
            $0.asked += $1.asked
            $0.agreed += $1.agreed
        }
    }
}
