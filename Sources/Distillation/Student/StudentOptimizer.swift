import CKernels
import Glibc
import Models
import Tensors

/// Updates a student's weights from gradients: Adam or SGD.
///
/// The embedding and the shortcut are large tables of which a batch uses few rows. Dense Adam would process all of them
/// at every step, mostly for decaying momentum. Here a row is not updated until a batch needs it and then catches up: k
/// steps with a zero gradient after step s move a weight by m/√v · Σ (β1/√β2)^j · q(s + j), j = 1…k, with q(t) =
/// rate(t) · √(1 − β2^t) / (1 − β1^t), and shrink m by β1^k and v by β2^k. That equals dense Adam, except for ε beside
/// √v and for the terms beyond the 256th, which are negligible.
public final class StudentOptimizer {
    private let options: OptimizerOptions
    private let weights: StudentWeights
    private let first: StudentWeights
    private let second: StudentWeights
    private var step = 0
    /// q(t) for t = 1 … step.
    private var stepFactors: [Float] = []
    /// The sum above by s, for rows that catch up to the current step; entries more than 256 steps old no longer
    /// change.
    private var travels: [Float] = []
    /// β1^k and β2^k by k.
    private var firstDecays: [Float] = [1]
    private var secondDecays: [Float] = [1]
    private var embeddingSteps: [Int32]
    private var shortcutSteps: [Int32]

    public init(_ options: OptimizerOptions, weights: StudentWeights, configuration: StudentConfiguration) {
        self.options = options
        self.weights = weights
        first = StudentWeights(zeros: configuration)
        second = StudentWeights(zeros: configuration)
        embeddingSteps = Array(repeating: 0, count: weights.embedding.rows)
        shortcutSteps = Array(repeating: 0, count: weights.shortcut.rows)
    }

    /// Updates the given rows to the current step; required before every forward pass that reads them.
    public func prepare(embeddingRows: [Int32], shortcutRows: [Int32]) {
        guard options.kind == .adam, step > 0 else { return }
        catchUp(weights.embedding, first.embedding, second.embedding, rows: embeddingRows, &embeddingSteps, 1)
        catchUp(
            weights.shortcut, first.shortcut, second.shortcut, rows: shortcutRows, &shortcutSteps,
            options.shortcutRateFactor)
    }

    /// Updates every row to the current step: before weights are saved or measured.
    public func prepareAll() {
        prepare(
            embeddingRows: (0..<Int32(weights.embedding.rows)).map { $0 },
            shortcutRows: (0..<Int32(weights.shortcut.rows)).map { $0 })
    }

    private func catchUp(
        _ table: Matrix, _ m: Matrix, _ v: Matrix, rows: [Int32], _ steps: inout [Int32], _ rateFactor: Float
    ) {
        for row in rows.lazy.map(Int.init) {
            let since = Int(steps[row])
            if since > 0, since < step {
                us_adam_catch_up(
                    Int64(table.columns), table.row(row), m.row(row), v.row(row), rateFactor * travels[since],
                    firstDecays[step - since], secondDecays[step - since], options.epsilon)
            }
            steps[row] = Int32(step)
        }
    }

    /// Records the factor of the current step, and updates the sums for rows without gradients.
    private func note(stepFactor: Float) {
        stepFactors.append(stepFactor)
        travels.append(0)
        firstDecays.append(firstDecays[step - 1] * options.beta1)
        secondDecays.append(secondDecays[step - 1] * options.beta2)
        // Σ from s on is (β1/√β2) · (q(s + 1) + Σ from s + 1 on).
        let ratio = options.beta1 / options.beta2.squareRoot()
        var travel: Float = 0
        for since in stride(from: step - 1, through: max(0, step - 256), by: -1) {
            travel = ratio * (stepFactors[since] + travel)
            travels[since] = travel
        }
    }

    /// One step. `gradients` is scaled by `scale` (and by clipping), used and zeroed. Only the given rows of the tables
    /// have gradients; they must have been prepared.
    public func update(
        _ gradients: StudentWeights, scale: Float, rate: Float, embeddingRows: [Int32], shortcutRows: [Int32]
    ) {
        step += 1
        let scale = scale * clipping(gradients, scale, embeddingRows, shortcutRows)
        let stepSize = rate / (1 - pow(options.beta1, Float(step)))
        let correction = 1 / (1 - pow(options.beta2, Float(step)))
        note(stepFactor: stepSize / correction.squareRoot())
        for tensor in StudentTensor.denseTensors {
            let weight = weights[tensor]
            let decay = weight.rows > 1 ? rate * options.weightDecay : 0
            apply(
                weight.pointer, gradients[tensor].pointer, first[tensor].pointer, second[tensor].pointer, weight.count,
                stepSize, correction, rate, decay, scale)
        }
        rows(
            weights.embedding, gradients.embedding, first.embedding, second.embedding, embeddingRows, stepSize,
            correction, rate, scale)
        rows(
            weights.shortcut, gradients.shortcut, first.shortcut, second.shortcut, shortcutRows,
            stepSize * options.shortcutRateFactor, correction, rate * options.shortcutRateFactor, scale)
        for row in embeddingRows { embeddingSteps[Int(row)] = Int32(step) }
        for row in shortcutRows { shortcutSteps[Int(row)] = Int32(step) }
    }

    private func rows(
        _ table: Matrix, _ gradient: Matrix, _ m: Matrix, _ v: Matrix, _ rows: [Int32], _ stepSize: Float,
        _ correction: Float, _ rate: Float, _ scale: Float
    ) {
        for row in rows.lazy.map(Int.init) {
            apply(
                table.row(row), gradient.row(row), m.row(row), v.row(row), table.columns, stepSize, correction, rate, 0,
                scale)
        }
    }

    private func apply(
        _ w: UnsafeMutablePointer<Float>, _ g: UnsafeMutablePointer<Float>, _ m: UnsafeMutablePointer<Float>,
        _ v: UnsafeMutablePointer<Float>, _ count: Int, _ stepSize: Float, _ correction: Float, _ rate: Float,
        _ decay: Float, _ scale: Float
    ) {
        switch options.kind {
        case .adam:
            us_adam(
                Int64(count), w, g, m, v, options.beta1, options.beta2, stepSize, correction, options.epsilon, decay,
                scale)
        case .sgd: us_sgd(Int64(count), w, g, rate, scale)
        }
    }

    /// The factor that reduces the global norm to the limit (Pascanu et al. 2013), or 1.
    private func clipping(
        _ gradients: StudentWeights, _ scale: Float, _ embeddingRows: [Int32], _ shortcutRows: [Int32]
    ) -> Float {
        guard options.clip > 0 else { return 1 }
        var sum = 0.0
        for tensor in StudentTensor.denseTensors {
            sum += us_sum_of_squares(Int64(gradients[tensor].count), gradients[tensor].pointer)
        }
        for row in embeddingRows {
            sum += us_sum_of_squares(Int64(gradients.embedding.columns), gradients.embedding.row(Int(row)))
        }
        for row in shortcutRows {
            sum += us_sum_of_squares(Int64(gradients.shortcut.columns), gradients.shortcut.row(Int(row)))
        }
        let norm = Float(sum.squareRoot()) * scale
        return norm > options.clip ? options.clip / norm : 1
    }
}
