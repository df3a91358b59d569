/// A deferral threshold that follows a budget: the least certain lines go to the teacher, as many as it allows.
///
/// The certainties seen lately are kept as a histogram that forgets (each line weighs 1 − 1/window less with every later
/// one); the threshold is its quantile at the budget's share. A token bucket bounds what the estimate gets wrong: of n
/// lines never more than share · n + the bucket go to the teacher; of n seconds never more than rate · n + the bucket.
public struct BudgetThreshold: Sendable, Equatable {
    /// Certainty is resolved to 1/bins.
    static let bins = 1000
    /// How many lines the histogram remembers: enough for a quantile of 1 %, few enough to follow a change of topic.
    static let window = 10_000.0
    /// Lines between two looks at the quantile.
    static let refresh = 256
    /// How much of the unused budget can be saved up, in lines of the teacher.
    static let bucketLines = 64.0

    private enum Budget: Sendable, Equatable {
        case share(Double)
        case linesPerSecond(Double)
    }

    private let budget: Budget
    private var counts = [Double](repeating: 0, count: bins + 1)
    private var total = 0.0
    /// What the newest line weighs: growing weights cost one addition a line, shrinking all counts would cost 1000.
    private var weight = 1.0
    private var untilRefresh = 1
    private var tokens = bucketLines / 2
    private var lastMoment: UInt64?
    /// Lines a second, smoothed over some seconds.
    private var lineRate = 0.0
    private var linesSinceMoment = 0.0
    /// Lines with less certainty are asked about.
    public private(set) var threshold: Float = 0

    public init(share: Double) { budget = .share(min(1, max(0, share))) }
    public init(linesPerSecond: Double) { budget = .linesPerSecond(max(0, linesPerSecond)) }

    /// Takes note of the time, in nanoseconds.
    public mutating func advance(to now: UInt64) {
        guard let last = lastMoment else {
            lastMoment = now
            return
        }
        let seconds = Double(now &- last) / 1e9
        // Rates of shorter stretches are noise.
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

    /// Whether the teacher is asked about a line of this certainty, 0 … 1; counts the line.
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

    /// The certainty below which the lines seen lately have `share` of the weight.
    private func quantile(_ share: Double) -> Float {
        if share >= 1 { return 1 }
        var sum = 0.0
        let wanted = share * total
        for bin in 0...Self.bins {
            let next = sum + counts[bin]
            if next >= wanted {
                // Within the bin as if its lines lay evenly.
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
