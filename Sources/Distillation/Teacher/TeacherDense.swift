import CKernels
import Tensors

/// The backward pass of a dense layer.
enum TeacherDense {
    /// For y = x·Wᵀ + b with y's gradient (rows, outputs): W's gradient += gradientᵀ · x, b's += its column sums, and x's
    /// gradient (rows, inputs), where asked for, = (or +=) gradient · W.
    static func backward(
        _ kernels: UnsafePointer<bert_kernels>, _ gradient: UnsafePointer<Float>, _ x: UnsafePointer<Float>, rows: Int,
        _ weights: Matrix, _ weightGradient: Matrix, _ biasGradient: Matrix,
        into inputGradient: UnsafeMutablePointer<Float>?, add: Bool
    ) {
        let outputs = weights.rows
        let inputs = weights.columns
        kernels.pointee.add_column_sums(biasGradient.pointer, gradient, Int64(rows), Int64(outputs))
        MatrixProduct.multiply(
            transposeA: true, m: outputs, n: inputs, k: rows, gradient, lda: outputs, x, ldb: inputs, beta: 1,
            into: weightGradient.pointer, ldc: inputs)
        guard let inputGradient else { return }
        MatrixProduct.multiply(
            m: rows, n: inputs, k: outputs, gradient, lda: outputs, weights.pointer, ldb: inputs, beta: add ? 1 : 0,
            into: inputGradient, ldc: inputs)
    }
}
