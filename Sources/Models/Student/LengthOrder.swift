/// Positions of lines sorted by falling length (stable counting sort); keeps its memory from call to call.
public struct LengthOrder {
    public private(set) var order: [Int32] = []
    private var counts: [Int32] = []

    public init() {}

    /// Sorts lines that own tokens `offsets[i] ..< offsets[i + 1]`.
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
