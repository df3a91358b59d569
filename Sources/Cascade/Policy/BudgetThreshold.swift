/// A deferral threshold that follows a budget: the least certain lines are deferred, as many as the budget allows.
///
/// Recent certainties are kept in a histogram with exponential decay (each later line reduces a line's weight by the
/// factor 1 − 1/window); the threshold is its quantile at the budget's share. A token bucket bounds the error of the
/// estimate: of n lines at most share · n + the bucket are deferred; in n seconds at most rate · n + the bucket.
public struct BudgetThreshold: Sendable, Equatable {
    /// Resolution of the certainty: 1/bins.
    static let bins = 1000
    /// Length of the histogram's memory in lines: enough for a quantile of 1 %, and short enough to follow a change of
    /// topic.
    static let window = 10_000.0
    /// Lines between two updates of the quantile.
    static let refresh = 256
    /// Size of the token bucket: the maximum unused budget, in lines for the teacher.
    static let bucketLines = 64.0

    private enum Budget: Sendable, Equatable {
        case share(Double)
        case linesPerSecond(Double)
    }

    private let budget: Budget
    private var counts = [Double](repeating: 0, count: bins + 1)
    private var total = 0.0
    /// Weight of the newest line. Growing it costs one addition per line; decaying all counts would cost 1000.
    private var weight = 1.0
    private var untilRefresh = 1
    private var tokens = bucketLines / 2
    private var lastMoment: UInt64?
    /// Lines per second, smoothed over some seconds.
    private var lineRate = 0.0
    private var linesSinceMoment = 0.0
    /// Lines with a lower certainty are deferred.
    public private(set) var threshold: Float = 0

    public init(share: Double) { budget = .share(min(1, max(0, share))) }
    public init(linesPerSecond: Double) { budget = .linesPerSecond(max(0, linesPerSecond)) }

    /// Sets the current time, in nanoseconds.
    public mutating func advance(to now: UInt64) {
        guard let last = lastMoment else {
            lastMoment = now
            return
        }
        let seconds = Double(now &- last) / 1e9
        // Rates over shorter intervals are noise.
        guard now > last, seconds >= 0.05 else { return }
        lastMoment = now
        let rate = linesSinceMoment / seconds
        let share = min(1, seconds / 5)
        lineRate = lineRate == 0 ? rate : lineRate + share * (rate - lineRate)
        linesSinceMoment = 0
        if case .linesPerSecond(let allowed) = budget {
            tokens = min(max(Self.bucketLines, allowed), tokens + allowed * seconds)
        }
    }

    /// Counts the line and returns whether to defer it. `certainty` is 0 … 1.
    public mutating func admits(_ certainty: Float) -> Bool {
        let share: Double
        switch budget {
        case .share(let fixed):
            share = fixed
            tokens = min(Self.bucketLines, tokens + fixed)
        case .linesPerSecond(let allowed):
            share = lineRate > 0 ? min(1, allowed / lineRate) : allowed > 0 ? 1 : 0
        }
        linesSinceMoment += 1
        let bin = Int((min(1, max(0, certainty)) * Float(Self.bins)).rounded(.down))
        counts[bin] += weight
        total += weight
        weight *= 1 + 1 / Self.window
        if weight > 1e12 { rescale() }
        untilRefresh -= 1
        if untilRefresh <= 0 {
            untilRefresh = Self.refresh
            threshold = quantile(share)
        }
        guard share > 0, certainty < threshold || share >= 1, tokens >= 1 || share >= 1 && isShare else { return false }
        tokens -= 1
        return true
    }

    private var isShare: Bool {
        if case .share = budget { return true }
        return false
    }

    /// The certainty below which recent lines have `share` of the weight.
    private func quantile(_ share: Double) -> Float {
        if share >= 1 { return 1 }
        var sum = 0.0
        let wanted = share * total
        for bin in 0...Self.bins {
            let next = sum + counts[bin]
            if next >= wanted {
                // Interpolates linearly within the bin.
                let inside = counts[bin] > 0 ? (wanted - sum) / counts[bin] : 0
                return Float((Double(bin) + inside) / Double(Self.bins))
            }
            sum = next
        }
        return 1
    }

    private mutating func rescale() {
        for bin in counts.indices { counts[bin] /= weight }
        total /= weight
        weight = 1
    }
}
