import CKernels
import Dispatch
import Tensors

/// The product of a dense layer, y = x · Wᵀ, with W (outputs, inputs) fixed.
struct DenseProduct: Sendable {
    private enum Form {
        case single(Matrix)
        /// W for bert_bf16_product, if that is used.
        case packed(Matrix, AlignedBuffer<UInt16>)
        case quantised(QuantisedMatrix)
        /// W for bert_i8_product, if that is used.
        case bytes(AlignedBuffer<UInt8>)
    }

    /// Outputs per panel of packed weights.
    private static let panel = 32
    /// Minimum number of multiplications for which waking other threads is worth it.
    private static let worthSharing = 24 << 20
    /// Maximum number of weights converted to f32 at a time.
    private static let unpacked = 1 << 20

    private let form: Form
    private let outputs: Int
    private let inputs: Int

    init(_ weights: Matrix, precision: TeacherPrecision) {
        outputs = weights.rows
        inputs = weights.columns
        guard precision != .f32, precision.isSupported else {
            form = .single(weights)
            return
        }
        if precision == .i8 {
            form = .bytes(Self.packed(QuantisedMatrix(weights)))
            return
        }
        let packed = AlignedBuffer<UInt16>(
            zeros: Int(bert_bf16_packed_count(Int64(weights.rows), Int64(weights.columns))))
        bert_bf16_pack(packed.pointer, weights.pointer, Int64(weights.rows), Int64(weights.columns))
        form = .packed(weights, packed)
    }

    /// Weights that stay i8. In another precision each product converts them to f32: that costs a few per cent with
    /// many rows, saves time with few, and takes a quarter of the memory.
    init(_ weights: QuantisedMatrix, precision: TeacherPrecision) {
        outputs = weights.rows
        inputs = weights.columns
        form = precision == .i8 && precision.isSupported ? .bytes(Self.packed(weights)) : .quantised(weights)
    }

    private static func packed(_ weights: QuantisedMatrix) -> AlignedBuffer<UInt8> {
        let (rows, columns) = (Int64(weights.rows), Int64(weights.columns))
        let packed = AlignedBuffer<UInt8>(zeros: Int(bert_i8_packed_bytes(rows, columns)))
        bert_i8_pack(packed.pointer, weights.values.pointer, weights.scales.pointer, rows, columns)
        return packed
    }

    /// y (rows, outputs; stride ldy) = x (rows, inputs; packed) · W[outputs]ᵀ for a range of W's rows.
    func multiply(
        _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>, ldy: Int, outputs: Range<Int>? = nil,
        scratch: DenseScratch
    ) {
        let range = outputs ?? 0..<self.outputs
        switch form {
        case .bytes(let packed):
            multiply(x, rows: rows, packed, range, into: y, ldy: ldy, scratch: scratch)
        case .packed(_, let packed) where range.lowerBound % Self.panel == 0:
            let width = (inputs + 1) / 2 * 2
            let rounded = scratch.halves(rows * width)
            bert_bf16_convert(rounded, x, Int64(rows), Int64(inputs))
            bert_bf16_product(
                y, Int64(ldy), rounded, Int64(rows), packed.pointer + range.lowerBound * width, Int64(range.count),
                Int64(inputs))
        case .single(let weights), .packed(let weights, _):
            multiply(x, rows: rows, weights.pointer + range.lowerBound * inputs, range.count, into: y, ldy: ldy)
        case .quantised(let weights):
            let block = max(1, Self.unpacked / inputs)
            let stored = StoredMatrix.quantised(weights)
            for first in stride(from: range.lowerBound, to: range.upperBound, by: block) {
                let count = min(block, range.upperBound - first)
                let unpacked = scratch.floats(count * inputs)
                stored.read(first: first, count: count, into: unpacked)
                multiply(x, rows: rows, unpacked, count, into: y + (first - range.lowerBound), ldy: ldy)
            }
        }
    }

    private func multiply(
        _ x: UnsafePointer<Float>, rows: Int, _ packed: AlignedBuffer<UInt8>, _ range: Range<Int>,
        into y: UnsafeMutablePointer<Float>, ldy: Int, scratch: DenseScratch
    ) {
        let width = Int(bert_i8_width(Int64(inputs)))
        let (rounded, scales) = scratch.bytes(rows * width, rows: rows)
        bert_i8_convert(rounded, scales, x, Int64(rows), Int64(inputs))
        if range.lowerBound % Self.panel == 0 {
            let threads = rows * range.count * inputs >= Self.worthSharing ? scratch.threads : 1
            if threads == 1 {
                product(rounded, scales, rows, packed, range, into: y, ldy: ldy)
                return
            }
            // Each thread has its own outputs, in whole panels.
            let panels = (range.count + Self.panel - 1) / Self.panel
            nonisolated(unsafe) let (x, xScales, out) = (rounded, scales, y)
            DispatchQueue.concurrentPerform(iterations: threads) { part in
                let first = panels * part / threads * Self.panel
                let end = min(panels * (part + 1) / threads * Self.panel, range.count)
                if first >= end { return }
                product(
                    x, xScales, rows, packed, range.lowerBound + first..<range.lowerBound + end, into: out + first,
                    ldy: ldy)
            }
            return
        }
        // In a very narrow model the parts don't begin at panels: all outputs are computed, and some of them used.
        let all = scratch.floats(rows * outputs)
        bert_i8_product(
            all, Int64(outputs), rounded, scales, Int64(rows), packed.pointer, Int64(outputs), Int64(inputs))
        for row in 0..<rows {
            (y + row * ldy).update(from: all + row * outputs + range.lowerBound, count: range.count)
        }
    }

    /// y (rows, range.count; stride ldy) of rounded inputs; the range begins at a panel.
    private func product(
        _ x: UnsafePointer<UInt8>, _ scales: UnsafePointer<Float>, _ rows: Int, _ packed: AlignedBuffer<UInt8>,
        _ range: Range<Int>, into y: UnsafeMutablePointer<Float>, ldy: Int
    ) {
        let first = Int(bert_i8_packed_bytes(Int64(range.lowerBound), Int64(inputs)))
        bert_i8_product(
            y, Int64(ldy), x, scales, Int64(rows), packed.pointer + first, Int64(range.count), Int64(inputs))
    }

    /// y (rows, outputs) = x · Wᵀ with W (outputs, inputs) in f32.
    private func multiply(
        _ x: UnsafePointer<Float>, rows: Int, _ weights: UnsafePointer<Float>, _ outputs: Int,
        into y: UnsafeMutablePointer<Float>, ldy: Int
    ) {
        MatrixProduct.multiply(
            transposeB: true, m: rows, n: outputs, k: inputs, x, lda: inputs, weights, ldb: inputs, into: y, ldc: ldy)
    }
}

/// One thread's buffers for rounded inputs and for weights in f32. The contents are lost on growth.
final class DenseScratch {
    /// The number of threads that share one product.
    var threads = 1
    private var byteBuffer = AlignedBuffer<UInt8>(zeros: 0)
    private var scaleBuffer = AlignedBuffer<Float>(zeros: 0)
    private var halfBuffer = AlignedBuffer<UInt16>(zeros: 0)
    private var floatBuffer = AlignedBuffer<Float>(zeros: 0)

    func halves(_ count: Int) -> UnsafeMutablePointer<UInt16> {
        if halfBuffer.count < count { halfBuffer = AlignedBuffer(zeros: count) }
        return halfBuffer.pointer
    }

    func bytes(
        _ count: Int, rows: Int
    ) -> (values: UnsafeMutablePointer<UInt8>, scales: UnsafeMutablePointer<Float>) {
        if byteBuffer.count < count { byteBuffer = AlignedBuffer(zeros: count) }
        if scaleBuffer.count < rows { scaleBuffer = AlignedBuffer(zeros: rows) }
        return (byteBuffer.pointer, scaleBuffer.pointer)
    }

    func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
        if floatBuffer.count < count { floatBuffer = AlignedBuffer(zeros: count) }
        return floatBuffer.pointer
    }
}
