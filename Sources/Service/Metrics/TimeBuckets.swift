/// Counts by time: the last so many spans of equal length. Moves on when written to or read; needs no timer.
public struct TimeBuckets: Sendable, Equatable {
    /// The length of a span.
    public let seconds: Double
    private var counts: [Int]
    /// The number of the newest span written to, counted from time 0.
    private var newest = Int.min

    public init(seconds: Double, count: Int) {
        self.seconds = seconds
        counts = [Int](repeating: 0, count: count)
    }

    /// Counts `amount` at `time`, in seconds. A time older than all spans means that the clock was set back, from where it
    /// had been wrong: then counting begins anew.
    public mutating func add(_ amount: Int, at time: Double) {
        let span = Int((time / seconds).rounded(.down))
        if newest != Int.min, span <= newest - counts.count {
            for index in counts.indices { counts[index] = 0 }
            newest = span
        }
        if newest == Int.min { newest = span }
        if span > newest {
            // Spans that nothing was written to hold what was there a round ago.
            for empty in max(newest + 1, span - counts.count + 1)...span { counts[place(empty)] = 0 }
            newest = span
        }
        counts[place(span)] += amount
    }

    /// The spans up to the one that holds `time`, oldest first, the last of them still growing.
    public func values(at time: Double) -> [Int] {
        let last = Int((time / seconds).rounded(.down))
        return (0..<counts.count).map { index in
            let span = last - counts.count + 1 + index
            guard newest != Int.min, span <= newest, span > newest - counts.count else { return 0 }
            return counts[place(span)]
        }
    }

    /// What was counted per second, over the spans that are full at `time` and not older than `since`.
    public func rate(at time: Double, since start: Double) -> Double {
        let full = values(at: time).dropLast()
        let covered = min(Double(full.count) * seconds, (time / seconds).rounded(.down) * seconds - start)
        // Right after the start there is no full span yet; then all there is counts.
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
