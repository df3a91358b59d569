import Text

/// Processes lines of different lengths in lockstep without padding.
///
/// Lines are sorted by length, longest first, so that the lines still running at step `s` are always the first
/// `active(s)` of them. Row `start(s) + r` of a packed array is step `s` of the `r`-th longest line. The backward
/// direction reads every line from its own end, so both directions share one plan.
public struct PackedSequences {
    private var lengthOrder = LengthOrder()
    /// The number of steps of the line at each rank.
    public private(set) var lengths: [Int32] = []
    /// First packed row of each step, and one past the last row.
    public private(set) var starts: [Int32] = [0]
    /// The token of each packed row: an index into the batch's ids.
    public private(set) var forwardTokens: [Int32] = []
    public private(set) var backwardTokens: [Int32] = []

    public init() {}

    /// Positions of the lines, longest first (stable).
    public var order: [Int32] { lengthOrder.order }
    public var steps: Int { starts.count - 1 }
    public var rows: Int { Int(starts[steps]) }
    public func start(_ step: Int) -> Int { Int(starts[step]) }
    public func active(_ step: Int) -> Int { Int(starts[step + 1] - starts[step]) }

    /// Plans lines with the tokens `offsets[i] ..< offsets[i + 1]`. Reuses its memory between calls.
    public mutating func plan(offsets: [Int32]) {
        let lines = offsets.count - 1
        lengthOrder.sort(offsets)
        lengths.removeAll(keepingCapacity: true)
        for line in order { lengths.append(offsets[Int(line) + 1] - offsets[Int(line)]) }
        let longest = Int(lengths.first ?? 0)
        starts.removeAll(keepingCapacity: true)
        forwardTokens.removeAll(keepingCapacity: true)
        backwardTokens.removeAll(keepingCapacity: true)
        starts.append(0)
        var running = lines
        for step in 0..<longest {
            while running > 0, Int(lengths[running - 1]) <= step { running -= 1 }
            for rank in 0..<running {
                let first = offsets[Int(order[rank])]
                forwardTokens.append(first + Int32(step))
                backwardTokens.append(first + lengths[rank] - 1 - Int32(step))
            }
            starts.append(Int32(forwardTokens.count))
        }
    }
}

/// Positions of lines sorted by decreasing length (stable counting sort). Reuses its memory between calls.
public struct LengthOrder {
    public private(set) var order: [Int32] = []
    private var counts: [Int32] = []

    public init() {}

    /// Sorts lines with the tokens `offsets[i] ..< offsets[i + 1]`.
    public mutating func sort(_ offsets: [Int32]) {
        let lines = offsets.count - 1
        var longest = 0
        for line in 0..<lines { longest = Swift.max(longest, Int(offsets[line + 1] - offsets[line])) }
        counts.removeAll(keepingCapacity: true)
        counts.append(contentsOf: repeatElement(0, count: longest + 2))
        for line in 0..<lines { counts[longest - Int(offsets[line + 1] - offsets[line]) + 1] += 1 }
        for length in 1...(longest + 1) { counts[length] += counts[length - 1] }
        order.removeAll(keepingCapacity: true)
        order.append(contentsOf: repeatElement(0, count: lines))
        for line in 0..<lines {
            let length = longest - Int(offsets[line + 1] - offsets[line])
            order[Int(counts[length])] = Int32(line)
            counts[length] += 1
        }
    }
}

/// A student's input for some lines: token ids and, for the shortcut, n-gram buckets.
public struct StudentBatch: Sendable {
    public var tokens = TokenBatch()
    /// Buckets below `shortcutBuckets`; has an entry for every line even without a shortcut.
    public var buckets = TokenBatch()

    public init() {}

    public var count: Int { tokens.count }

    public mutating func removeAll() {
        tokens.removeAll()
        buckets.removeAll()
    }
}
