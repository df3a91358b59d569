/// Reads the strings of `UnicodeTables`: base-32 numbers, least digit first, 32 added to all digits but the last.
struct UnicodeTableReader {
    private var next: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>

    init(_ table: StaticString) {
        next = table.utf8Start
        end = next + table.utf8CodeUnitCount
    }

    private mutating func number() -> UInt32? {
        var value: UInt32 = 0
        var shift: UInt32 = 0
        while next < end {
            // Digits start at `#`; the backslash (92) is left out of the alphabet.
            let digit = UInt32(next.pointee) - (next.pointee > 92 ? 36 : 35)
            next += 1
            value |= (digit & 31) << shift
            shift += 5
            if digit < 32 { return value }
        }
        return nil
    }

    /// The ranges of a table of (gap, count − 1) pairs.
    static func ranges(_ table: StaticString) -> [ClosedRange<UInt32>] {
        runs(table, extras: 0).map(\.range)
    }

    /// The runs of a table whose (gap, count − 1) pairs are each followed by `extras` more numbers. `count` counts
    /// members; with a step among the extras (`stepped`), they are that far apart.
    static func runs(
        _ table: StaticString, extras: Int, stepped: Bool = false
    ) -> [(range: ClosedRange<UInt32>, extras: [UInt32])] {
        var reader = UnicodeTableReader(table)
        var runs: [(range: ClosedRange<UInt32>, extras: [UInt32])] = []
        var end: UInt32 = 0
        while let gap = reader.number(), let more = reader.number() {
            var values: [UInt32] = []
            for _ in 0..<extras { values.append(reader.number() ?? 0) }
            let first = end + gap
            let last = first + more * (stepped ? values[0] : 1)
            runs.append((first...last, values))
            end = last + 1
        }
        return runs
    }
}
