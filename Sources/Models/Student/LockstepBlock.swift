import CKernels
import Tensors
import Text

/// Runs up to `capacity` lines of similar length through both directions in lockstep: token ids in, pooled vectors out.
///
/// Holds the working memory of one thread.
final class LockstepBlock {
    /// Eight register blocks of six lines: enough that a group's weights, read once from the cache, serve many lines.
    static let capacity = 48

    private let fast: FastRecurrence
    private let configuration: StudentConfiguration
    private let states: [AlignedBuffer<Float>]
    private let cell: AlignedBuffer<Float>
    private let last: AlignedBuffer<Float>?
    private let maximum: AlignedBuffer<Float>?
    private let sum: AlignedBuffer<Float>?
    private let rows: AlignedBuffer<UnsafePointer<UInt16>?>
    private let nextRows: AlignedBuffer<UnsafePointer<UInt16>?>
    /// Each line's first token in reading order, and its length.
    private let starts: AlignedBuffer<UnsafePointer<Int32>?>
    private let lengths: AlignedBuffer<Int32>
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
        starts = AlignedBuffer(zeros: Self.capacity)
        lengths = AlignedBuffer(zeros: Self.capacity)
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
        let count = lines.count
        tokens.ids.withUnsafeBufferPointer { ids in
            guard let ids = ids.baseAddress, count > 0 else { return }
            for (rank, line) in lines.enumerated() {
                let begin = Int(tokens.offsets[Int(line)])
                let length = Int(tokens.offsets[Int(line) + 1]) - begin
                lengths[rank] = Int32(length)
                // The backward direction reads a line from its last token.
                starts[rank] = direction == 0 || length == 0 ? ids + begin : ids + begin + length - 1
            }
            let stride = direction == 0 ? 1 : -1
            let (starts, lengths) = (starts.pointer, lengths.pointer)
            var (rows, next) = (rows.pointer, nextRows.pointer)
            var active = count
            while active > 0, lengths[active - 1] == 0 { active -= 1 }
            for rank in 0..<active {
                guard let start = starts[rank] else { return }
                rows[rank] = fast.projection(token: Int(start.pointee), direction: direction)
            }
            var current = 0
            var number = 0
            while active > 0 {
                number += 1
                for rank in 0..<active {
                    guard let start = starts[rank] else { return }
                    // A line that has ended repeats its last row.
                    let at = min(number, Int(lengths[rank]) - 1)
                    next[rank] = fast.projection(token: Int(start[at * stride]), direction: direction)
                }
                step.projections = UnsafePointer(rows)
                step.next = UnsafePointer(next)
                advance(&step, lines: active, from: number == 1 ? nil : states[current], to: states[1 - current])
                current = 1 - current
                swap(&rows, &next)
                while active > 0, Int(lengths[active - 1]) <= number { active -= 1 }
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
        }
        step.projections = UnsafePointer(rows.pointer)
        step.next = UnsafePointer(rows.pointer)
        advance(&step, lines: lines.count, from: nil, to: states[0])
    }

    private func advance(
        _ step: inout us_step, lines: Int, from previous: AlignedBuffer<Float>?, to next: AlignedBuffer<Float>
    ) {
        step.rows = Int32(lines)
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
