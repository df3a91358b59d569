import CKernels
import Tensors

/// The product of a dense layer, y = x · Wᵀ, with W (outputs, inputs) fixed.
struct DenseProduct: Sendable {
    /// Outputs in a panel of packed weights.
    private static let panel = 32

    private let weights: Matrix
    /// W for bert_bf16_product, where that is used.
    private let packed: AlignedBuffer<UInt16>?

    init(_ weights: Matrix, precision: TeacherPrecision) {
        self.weights = weights
        guard precision == .bf16, precision.isSupported else {
            packed = nil
            return
        }
        let packed = AlignedBuffer<UInt16>(
            zeros: Int(bert_bf16_packed_count(Int64(weights.rows), Int64(weights.columns))))
        bert_bf16_pack(packed.pointer, weights.pointer, Int64(weights.rows), Int64(weights.columns))
        self.packed = packed
    }

    /// y (rows, outputs; stride ldy) = x (rows, inputs; packed) · W[outputs]ᵀ for a range of W's rows.
    func multiply(
        _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>, ldy: Int, outputs: Range<Int>? = nil,
        scratch: DenseScratch
    ) {
        let range = outputs ?? 0..<weights.rows
        let inputs = weights.columns
        if let packed, range.lowerBound % Self.panel == 0 {
            let width = (inputs + 1) / 2 * 2
            let rounded = scratch.reserve(rows * width)
            bert_bf16_convert(rounded, x, Int64(rows), Int64(inputs))
            bert_bf16_product(
                y, Int64(ldy), rounded, Int64(rows), packed.pointer + range.lowerBound * width, Int64(range.count),
                Int64(inputs))
            return
        }
        MatrixProduct.multiply(
            transposeB: true, m: rows, n: range.count, k: inputs, x, lda: inputs,
            weights.pointer + range.lowerBound * inputs, ldb: inputs, into: y, ldc: ldy)
    }
}

/// One thread's room for inputs in bf16.
final class DenseScratch {
    private var buffer = AlignedBuffer<UInt16>(zeros: 0)

    /// Room for `count` numbers; the contents don't survive growth.
    func reserve(_ count: Int) -> UnsafeMutablePointer<UInt16> {
        if buffer.count < count { buffer = AlignedBuffer(zeros: count) }
        return buffer.pointer
    }
}
