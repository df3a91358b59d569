import CKernels
import Tensors

/// The product of a dense layer, y = x · Wᵀ, with W (outputs, inputs) fixed.
struct DenseProduct: Sendable {
    private enum Form {
        case single(Matrix)
        /// W for bert_bf16_product, if that is used.
        case packed(Matrix, AlignedBuffer<UInt16>)
        case quantised(QuantisedMatrix)
        /// W as the kernels have packed it.
        case bytes(ByteKernels, AlignedBuffer<UInt8>)
    }

    /// Outputs per panel of packed weights.
    private static let panel = ByteKernels.panel
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
        if precision == .i8, let kernels = ByteKernels.best {
            form = .bytes(kernels, kernels.packed(QuantisedMatrix(weights)))
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
        if precision == .i8, let kernels = ByteKernels.best {
            form = .bytes(kernels, kernels.packed(weights))
        } else {
            form = .quantised(weights)
        }
    }

    /// Whether `multiply` rounds its inputs to 8 bits.
    var roundsInputs: Bool {
        if case .bytes = form { true } else { false }
    }

    /// y (rows, outputs; stride ldy) = x (rows, inputs; packed) · W[outputs]ᵀ for a range of W's rows.
    func multiply(
        _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>, ldy: Int, outputs: Range<Int>? = nil,
        scratch: DenseScratch
    ) {
        let range = outputs ?? 0..<self.outputs
        switch form {
        case .bytes(let kernels, let packed):
            multiply(x, rows: rows, kernels, packed, range, into: y, ldy: ldy, scratch: scratch)
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
        _ x: UnsafePointer<Float>, rows: Int, _ kernels: ByteKernels, _ packed: AlignedBuffer<UInt8>,
        _ range: Range<Int>, into y: UnsafeMutablePointer<Float>, ldy: Int, scratch: DenseScratch
    ) {
        let (rounded, scales) = scratch.bytes(rows * kernels.width(inputs), rows: rows)
        kernels.convert(x, rows: rows, inputs: inputs, into: rounded, scales: scales)
        if range.lowerBound % Self.panel == 0 {
            guard let pass = scratch.pass else {
                kernels.multiply(
                    rounded, scales, rows: rows, packed.pointer, range, inputs: inputs, into: y, stride: ldy)
                return
            }
            // Parts are whole panels of outputs.
            let panels = (range.count + Self.panel - 1) / Self.panel
            pass.perform(panels) { part in
                let first = part * Self.panel
                let outputs = range.lowerBound + first..<range.lowerBound + min(first + Self.panel, range.count)
                kernels.multiply(
                    rounded, scales, rows: rows, packed.pointer, outputs, inputs: inputs, into: y + first, stride: ldy)
            }
            return
        }
        // In a very narrow model the parts don't begin at panels: all outputs are computed, and some of them used.
        let all = scratch.floats(rows * outputs)
        kernels.multiply(
            rounded, scales, rows: rows, packed.pointer, 0..<outputs, inputs: inputs, into: all, stride: outputs)
        for row in 0..<rows {
            (y + row * ldy).update(from: all + row * outputs + range.lowerBound, count: range.count)
        }
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
    /// The pass whose threads share the steps, if several do.
    var pass: SharedPass?
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
