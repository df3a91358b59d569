import CKernels
import Tensors
import Text

/// Up to `capacity` lines of similar length run through both directions in lockstep: token ids in, pooled vectors out.
///
/// Holds the working memory of one thread.
final class LockstepBlock {
    /// Eight register blocks of six lines: enough that a group's weights are read from the cache for many lines.
    static let capacity = 48

    private typealias Row = UnsafePointer<UInt16>

    private let fast: FastRecurrence
    private let configuration: StudentConfiguration
    private let states: [AlignedBuffer<Float>]
    private let cell: AlignedBuffer<Float>
    private let last: AlignedBuffer<Float>?
    private let maximum: AlignedBuffer<Float>?
    private let sum: AlignedBuffer<Float>?
    private let rows: AlignedBuffer<UnsafePointer<UInt16>?>
    private let nextRows: AlignedBuffer<UnsafePointer<UInt16>?>
    private let means: AlignedBuffer<UInt16>
    /// (capacity, P) after `run`.
    let pooled: Matrix

    init(_ configuration: StudentConfiguration, _ fast: FastRecurrence) {
        self.configuration = configuration
        self.fast = fast
        let count = Self.capacity * fast.paddedUnits
        states = [AlignedBuffer(zeros: count), AlignedBuffer(zeros: count)]
        cell = AlignedBuffer(zeros: count)
        last = configuration.pooling.contains(.last) ? AlignedBuffer(zeros: count) : nil
        maximum = configuration.pooling.contains(.max) ? AlignedBuffer(zeros: count) : nil
        sum = configuration.pooling.contains(.mean) ? AlignedBuffer(zeros: count) : nil
        rows = AlignedBuffer(zeros: Self.capacity)
        nextRows = AlignedBuffer(zeros: Self.capacity)
        means = AlignedBuffer(
            zeros: configuration.input == .sentenceVector ? Self.capacity * 4 * fast.paddedUnits : 0)
        pooled = Matrix(rows: Self.capacity, columns: configuration.pooledSize)
    }

    /// Fills the first `lines.count` rows of `pooled`. `lines` are positions in `tokens`, longest first.
    func run(_ lines: ArraySlice<Int32>, of tokens: TokenBatch) {
        for direction in 0...1 {
            switch configuration.input {
            case .tokens: runTokens(lines, of: tokens, direction: direction)
            case .sentenceVector: runMeans(lines, of: tokens, direction: direction)
            }
            pool(lines, of: tokens, direction: direction)
        }
    }

    private func runTokens(_ lines: ArraySlice<Int32>, of tokens: TokenBatch, direction: Int) {
        var step = fast.step(direction: direction)
        guard let first = lines.first else { return }
        let longest = tokens.length(Int(first))
        var active = lines.count
        tokens.ids.withUnsafeBufferPointer { ids in
            func row(_ rank: Int, _ step: Int) -> Row {
                let line = Int(lines[lines.startIndex + rank])
                let begin = Int(tokens.offsets[line])
                let end = Int(tokens.offsets[line + 1])
                let at = direction == 0 ? Swift.min(begin + step, end - 1) : Swift.max(end - 1 - step, begin)
                return fast.projection(token: Int(ids[at]), direction: direction)
            }
            var current = 0
            for number in 0..<longest {
                while active > 0, tokens.length(Int(lines[lines.startIndex + active - 1])) <= number { active -= 1 }
                for rank in 0..<active {
                    rows.pointer[rank] = number == 0 ? row(rank, 0) : nextRows.pointer[rank]
                    nextRows.pointer[rank] = row(rank, number + 1)
                }
                advance(&step, lines: active, from: number == 0 ? nil : states[current], to: states[1 - current])
                current = 1 - current
            }
        }
    }

    /// One step whose input is the mean of the line's tabulated rows: the product with W_x is linear.
    private func runMeans(_ lines: ArraySlice<Int32>, of tokens: TokenBatch, direction: Int) {
        var step = fast.step(direction: direction)
        let width = 4 * fast.paddedUnits
        var total = [Float](repeating: 0, count: width)
        for (rank, line) in lines.enumerated() {
            let length = tokens.length(Int(line))
            let first = Int(tokens.offsets[Int(line)])
            for column in 0..<width { total[column] = 0 }
            for token in first..<(first + length) {
                let row = fast.projection(token: Int(tokens.ids[token]), direction: direction)
                for column in 0..<width { total[column] += Float(Float16(bitPattern: row[column])) }
            }
            let out = means.pointer + rank * width
            if length == 0 {
                out.update(from: fast.bias(direction: direction), count: width)
            } else {
                for column in 0..<width { out[column] = Float16(total[column] / Float(length)).bitPattern }
            }
            rows.pointer[rank] = UnsafePointer(out)
            nextRows.pointer[rank] = UnsafePointer(out)
        }
        advance(&step, lines: lines.count, from: nil, to: states[0])
    }

    private func advance(
        _ step: inout us_step, lines: Int, from previous: AlignedBuffer<Float>?, to next: AlignedBuffer<Float>
    ) {
        step.rows = Int32(lines)
        step.projections = UnsafePointer(rows.pointer)
        step.next = UnsafePointer(nextRows.pointer)
        step.h_previous = UnsafeRawPointer(previous?.pointer)
        step.h_next = UnsafeMutableRawPointer(next.pointer)
        step.cell = cell.pointer
        step.last = last?.pointer
        step.maximum = maximum?.pointer
        step.sum = sum?.pointer
        us_recurrence_step(&step)
    }

    private func pool(_ lines: ArraySlice<Int32>, of tokens: TokenBatch, direction: Int) {
        let units = configuration.hiddenSize
        for (rank, line) in lines.enumerated() {
            let length = configuration.input == .tokens ? tokens.length(Int(line)) : 1
            for (index, pooling) in configuration.pooling.enumerated() {
                let out = pooled.row(rank) + (2 * index + direction) * units
                let offset = rank * fast.paddedUnits
                guard length > 0 else {
                    out.update(repeating: 0, count: units)
                    continue
                }
                switch pooling {
                case .last: if let last { out.update(from: last.pointer + offset, count: units) }
                case .max: if let maximum { out.update(from: maximum.pointer + offset, count: units) }
                case .mean:
                    guard let sum else { continue }
                    let share = 1 / Float(length)
                    for unit in 0..<units { out[unit] = sum.pointer[offset + unit] * share }
                }
            }
        }
    }
}
