import Tensors

/// The product of a dense layer, y = x · Wᵀ, with W (outputs, inputs) fixed.
struct DenseProduct: Sendable {
    let weights: Matrix

    init(_ weights: Matrix, precision: TeacherPrecision) {
        self.weights = weights
    }

    /// y (rows, outputs; stride ldy) = x (rows, inputs; packed) · W[outputs]ᵀ for a range of W's rows.
    func multiply(
        _ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>, ldy: Int, outputs: Range<Int>? = nil
    ) {
        let range = outputs ?? 0..<weights.rows
        MatrixProduct.multiply(
            transposeB: true, m: rows, n: range.count, k: weights.columns, x, lda: weights.columns,
            weights.pointer + range.lowerBound * weights.columns, ldb: weights.columns, into: y, ldc: ldy)
    }
}
