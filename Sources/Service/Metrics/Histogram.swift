/// Counts of values by size. Fixed memory; adding allocates nothing.
public struct Histogram: Sendable, Equatable {
    /// The upper bounds of the buckets, ascending; a value equal to a bound belongs to its bucket. One more bucket,
    /// without a bound, takes what is larger.
    public let bounds: [Double]
    /// By bucket, not cumulative; one more than `bounds`.
    public private(set) var counts: [Int]
    public private(set) var sum = 0.0

    public init(bounds: [Double]) {
        self.bounds = bounds
        counts = [Int](repeating: 0, count: bounds.count + 1)
    }

    public var count: Int { counts.reduce(0, +) }

    /// Counts `value` `times` times.
    public mutating func add(_ value: Double, times: Int = 1) {
        var index = 0
        while index < bounds.count, value > bounds[index] { index += 1 }
        counts[index] += times
        sum += value * Double(times)
    }

    /// Adds values that were counted elsewhere in buckets of the same bounds (the last, without a bound, left out).
    public mutating func add(counts other: [Int], sum otherSum: Double) {
        for index in other.indices { counts[index] += other[index] }
        sum += otherSum
    }

    /// The value that the share `share` of all values doesn't exceed, interpolated within its bucket; nil without
    /// values. The last bound where it lies beyond.
    public func quantile(_ share: Double) -> Double? {
        let total = count
        guard total > 0, let last = bounds.last else { return nil }
        let rank = share * Double(total)
        var below = 0.0
        for (index, bound) in bounds.enumerated() {
            let inside = Double(counts[index])
            if inside > 0, below + inside >= rank {
                let lower = index == 0 ? 0 : bounds[index - 1]
                return lower + (bound - lower) * max(0, rank - below) / inside
            }
            below += inside
        }
        return last
    }
}

extension Histogram {
    /// Seconds from 100 µs, a student's batch, to a minute, a teacher that can't keep up.
    static let secondsBounds = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    static let linesBounds = [1.0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
    static let confidenceBounds = (1...JobMetrics.confidenceBins).map { Double($0) / Double(JobMetrics.confidenceBins) }
}
