import CKernels
import Tensors

/// One direction of the LSTM over packed lines: forward, keeping all intermediate values, and backward (Graves 2012,
/// ch. 4.6).
///
/// Shapes: T packed rows, E inputs, H units. Gate order i, f, g, o.
final class LSTMPass {
    private let gatesScratch = Scratch(), cellScratch = Scratch(), tanhScratch = Scratch(), hiddenScratch = Scratch()
    private let shiftedScratch = Scratch(), cellGradientScratch = Scratch(), inputGradientScratch = Scratch()
    private var gates: UnsafeMutablePointer<Float>
    private var cell: UnsafeMutablePointer<Float>
    private var tanhCell: UnsafeMutablePointer<Float>
    /// (T, H): the hidden state of every packed row after `forward`.
    private(set) var hidden: UnsafeMutablePointer<Float>

    init() {
        gates = gatesScratch.floats(0)
        cell = cellScratch.floats(0)
        tanhCell = tanhScratch.floats(0)
        hidden = hiddenScratch.floats(0)
    }

    /// `inputs` is (T, E), packed in this direction's order. Writes `hidden`.
    func forward(_ weights: StudentWeights.Direction, inputs: UnsafePointer<Float>, plan: PackedSequences) {
        let units = weights.recurrent.columns
        let width = weights.input.columns
        let rows = plan.rows
        gates = gatesScratch.floats(rows * 4 * units)
        cell = cellScratch.floats(rows * units)
        tanhCell = tanhScratch.floats(rows * units)
        hidden = hiddenScratch.floats(rows * units)
        for row in 0..<rows { (gates + row * 4 * units).update(from: weights.bias.pointer, count: 4 * units) }
        // gates (T,4H) += inputs (T,E) · W_xᵀ
        MatrixProduct.multiply(
            transposeB: true, m: rows, n: 4 * units, k: width, inputs, lda: width, weights.input.pointer, ldb: width,
            beta: 1, into: gates, ldc: 4 * units)
        for step in 0..<plan.steps {
            let start = plan.start(step)
            let active = plan.active(step)
            if step > 0 {
                // gates of this step (A,4H) += hidden of the last step (A,H) · W_hᵀ
                MatrixProduct.multiply(
                    transposeB: true, m: active, n: 4 * units, k: units, hidden + plan.start(step - 1) * units,
                    lda: units, weights.recurrent.pointer, ldb: units, beta: 1, into: gates + start * 4 * units,
                    ldc: 4 * units)
            }
            us_lstm_cell_forward(
                Int32(active), Int32(units), gates + start * 4 * units,
                step > 0 ? cell + plan.start(step - 1) * units : nil, cell + start * units, tanhCell + start * units,
                hidden + start * units)
        }
    }

    /// Adds the gradients of this direction's weights to `gradients` and returns the gradient with respect to the
    /// inputs, (T, E).
    ///
    /// `hiddenGradient` (T, H) holds the loss's gradient with respect to `hidden` from the layers above; it is
    /// overwritten.
    func backward(
        _ weights: StudentWeights.Direction, inputs: UnsafePointer<Float>, plan: PackedSequences,
        hiddenGradient: UnsafeMutablePointer<Float>, into gradients: StudentWeights.Direction
    ) -> UnsafeMutablePointer<Float> {
        let units = weights.recurrent.columns
        let width = weights.input.columns
        let rows = plan.rows
        let inputGradient = inputGradientScratch.floats(rows * width)
        guard rows > 0 else { return inputGradient }
        let cellGradient = cellGradientScratch.zeros(plan.active(0) * units)
        for step in stride(from: plan.steps - 1, through: 0, by: -1) {
            let start = plan.start(step)
            let active = plan.active(step)
            let stepGates = gates + start * 4 * units
            us_lstm_cell_backward(
                Int32(active), Int32(units), stepGates, step > 0 ? cell + plan.start(step - 1) * units : nil,
                tanhCell + start * units, hiddenGradient + start * units, cellGradient)
            if step > 0 {
                // gradient of the last step's hidden (A,H) += gate gradients (A,4H) · W_h
                MatrixProduct.multiply(
                    m: active, n: units, k: 4 * units, stepGates, lda: 4 * units, weights.recurrent.pointer,
                    ldb: units, beta: 1, into: hiddenGradient + plan.start(step - 1) * units, ldc: units)
            }
        }
        accumulate(inputs, plan, units: units, width: width, into: gradients)
        MatrixProduct.multiply(
            m: rows, n: width, k: 4 * units, gates, lda: 4 * units, weights.input.pointer, ldb: width,
            into: inputGradient, ldc: width)
        return inputGradient
    }

    /// Weight gradients as one product each over all packed rows. `gates` now holds the gate gradients.
    private func accumulate(
        _ inputs: UnsafePointer<Float>, _ plan: PackedSequences, units: Int, width: Int,
        into gradients: StudentWeights.Direction
    ) {
        let rows = plan.rows
        MatrixProduct.multiply(
            transposeA: true, m: 4 * units, n: width, k: rows, gates, lda: 4 * units, inputs, ldb: width, beta: 1,
            into: gradients.input.pointer, ldc: width)
        let first = plan.start(1)
        if rows > first {
            // Row t of `shifted` is the hidden state before packed row t.
            let shifted = shiftedScratch.floats((rows - first) * units)
            for step in 1..<plan.steps {
                (shifted + (plan.start(step) - first) * units).update(
                    from: hidden + plan.start(step - 1) * units, count: plan.active(step) * units)
            }
            MatrixProduct.multiply(
                transposeA: true, m: 4 * units, n: units, k: rows - first, gates + first * 4 * units, lda: 4 * units,
                shifted, ldb: units, beta: 1, into: gradients.recurrent.pointer, ldc: units)
        }
        for row in 0..<rows {
            us_add_scaled(Int64(4 * units), gradients.bias.pointer, gates + row * 4 * units, 1)
        }
    }
}
