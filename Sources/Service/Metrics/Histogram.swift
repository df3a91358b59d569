/// A histogram of fixed size. Adding a value allocates nothing.
public struct Histogram: Sendable, Equatable {
    /// Upper bounds of the buckets, ascending and inclusive. One more bucket, without a bound, takes larger values.
    public let bounds: [Double]
    /// Count per bucket, not cumulative; one more than `bounds`.
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

    /// Adds values that were counted elsewhere with the same bounds (`other` lacks the last, unbounded bucket).
    public mutating func add(counts other: [Int], sum otherSum: Double) {
        for index in other.indices { counts[index] += other[index] }
        sum += otherSum
    }

    /// Returns the quantile at `share`, interpolated within its bucket; nil without values. A quantile beyond the last
    /// bound is returned as that bound.
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
    /// Bounds in seconds, from 100 µs (a student's batch) to a minute (an overloaded teacher).
    static let secondsBounds = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    static let linesBounds = [1.0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
    static let confidenceBounds = (1...JobMetrics.confidenceBins).map { Double($0) / Double(JobMetrics.confidenceBins) }
}

/// Counts by time, for a fixed number of latest intervals of equal length. They advance on reading and writing; no
/// timer is needed.
public struct TimeBuckets: Sendable, Equatable {
    /// Length of an interval.
    public let seconds: Double
    private var counts: [Int]
    /// Number of the newest interval written to, counted from time 0.
    private var newest = Int.min

    public init(seconds: Double, count: Int) {
        self.seconds = seconds
        counts = [Int](repeating: 0, count: count)
    }

    /// Adds `amount` at `time`, in seconds. A time before all intervals means that the clock was set back from a wrong
    /// time; all counts are then discarded.
    public mutating func add(_ amount: Int, at time: Double) {
        let span = Int((time / seconds).rounded(.down))
        if newest != Int.min, span <= newest - counts.count {
            for index in counts.indices { counts[index] = 0 }
            newest = span
        }
        if newest == Int.min { newest = span }
        if span > newest {
            // Intervals without a write still hold old counts of the ring.
            for empty in max(newest + 1, span - counts.count + 1)...span { counts[place(empty)] = 0 }
            newest = span
        }
        counts[place(span)] += amount
    }

    /// Returns the intervals up to the one that contains `time`, oldest first; the last one is incomplete.
    public func values(at time: Double) -> [Int] {
        let last = Int((time / seconds).rounded(.down))
        return (0..<counts.count).map { index in
            let span = last - counts.count + 1 + index
            guard newest != Int.min, span <= newest, span > newest - counts.count else { return 0 }
            return counts[place(span)]
        }
    }

    /// Returns the rate per second over the intervals that are complete at `time` and not older than `since`.
    public func rate(at time: Double, since start: Double) -> Double {
        let full = values(at: time).dropLast()
        let covered = min(Double(full.count) * seconds, (time / seconds).rounded(.down) * seconds - start)
        // Right after the start no interval is complete; all counts are used then.
        guard covered >= seconds else {
            let passed = time - start
            return passed > 0 ? Double(values(at: time).reduce(0, +)) / max(passed, seconds) : 0
        }
        return Double(full.reduce(0, +)) / covered
    }

    private func place(_ span: Int) -> Int {
        let rest = span % counts.count
        return rest < 0 ? rest + counts.count : rest
    }
}
