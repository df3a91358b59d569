import Tensors

/// Pools one direction's hidden states of every line into its part of the pooled vector; backward, distributes the
/// gradient.
///
/// The pooled matrix is (lines, P); pooling `p` of this direction has columns `(2p + direction) · H ..< … + H`. A line
/// without tokens pools to zeros.
final class PoolingPass {
    private var winners: [Int32] = []

    /// `hidden` is (T, H) packed; `pooled` must hold zeros. Rows of `pooled` are in the batch's order.
    func forward(
        _ poolings: [StudentConfiguration.Pooling], direction: Int, hidden: UnsafePointer<Float>, units: Int,
        plan: PackedSequences, pooled: UnsafeMutablePointer<Float>
    ) {
        let width = 2 * units * poolings.count
        if poolings.contains(.max) {
            winners.removeAll(keepingCapacity: true)
            winners.append(contentsOf: repeatElement(0, count: plan.order.count * units))
        }
        for (index, pooling) in poolings.enumerated() {
            let column = (2 * index + direction) * units
            for step in 0..<plan.steps {
                for rank in 0..<plan.active(step) {
                    let row = plan.start(step) + rank
                    let state = hidden + row * units
                    let out = pooled + Int(plan.order[rank]) * width + column
                    switch pooling {
                    case .last:
                        if step + 1 == Int(plan.lengths[rank]) { out.update(from: state, count: units) }
                    case .mean:
                        let share = 1 / Float(plan.lengths[rank])
                        for unit in 0..<units { out[unit] += share * state[unit] }
                    case .max:
                        for unit in 0..<units where step == 0 || state[unit] > out[unit] {
                            out[unit] = state[unit]
                            winners[rank * units + unit] = Int32(row)
                        }
                    }
                }
            }
        }
    }

    /// Adds the gradient of the pooled matrix to `hiddenGradient` (T, H).
    func backward(
        _ poolings: [StudentConfiguration.Pooling], direction: Int, units: Int, plan: PackedSequences,
        pooledGradient: UnsafePointer<Float>, hiddenGradient: UnsafeMutablePointer<Float>
    ) {
        let width = 2 * units * poolings.count
        for (index, pooling) in poolings.enumerated() {
            let column = (2 * index + direction) * units
            for rank in 0..<plan.order.count where plan.lengths[rank] > 0 {
                let gradient = pooledGradient + Int(plan.order[rank]) * width + column
                let length = Int(plan.lengths[rank])
                switch pooling {
                case .last:
                    let state = hiddenGradient + (plan.start(length - 1) + rank) * units
                    for unit in 0..<units { state[unit] += gradient[unit] }
                case .mean:
                    let share = 1 / Float(length)
                    for step in 0..<length {
                        let state = hiddenGradient + (plan.start(step) + rank) * units
                        for unit in 0..<units { state[unit] += share * gradient[unit] }
                    }
                case .max:
                    for unit in 0..<units {
                        hiddenGradient[Int(winners[rank * units + unit]) * units + unit] += gradient[unit]
                    }
                }
            }
        }
    }
}
