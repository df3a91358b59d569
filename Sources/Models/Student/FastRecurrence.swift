import CKernels
import Tensors

/// What the fast path runs on: the recurrent weights packed for the kernels, and the product embedding · W_x + bias
/// tabulated by token, so that only the recurrence is left for each step.
final class FastRecurrence: Sendable {
    /// H rounded up to whole groups of units; the padded units stay zero.
    let paddedUnits: Int
    private let precision: Int32
    private let table: ProjectionTable
    private let packed: [AlignedBuffer<UInt8>]
    private let biases: [AlignedBuffer<UInt16>]

    init(
        _ configuration: StudentConfiguration, _ weights: StudentServingWeights,
        precision asked: RecurrencePrecision
    ) {
        let units = configuration.hiddenSize
        let group = Int(US_UNIT_GROUP)
        let padded = (units + group - 1) / group * group
        paddedUnits = padded
        let precision = asked.kernelCode
        self.precision = precision
        packed = [weights.forward, weights.backward].map { direction in
            let buffer = AlignedBuffer<UInt8>(zeros: Int(us_recurrence_bytes(Int32(padded), precision)))
            us_pack_recurrence(Int32(units), Int32(padded), precision, direction.recurrent.pointer, buffer.pointer)
            return buffer
        }
        biases = [weights.forward, weights.backward].map { direction in
            let buffer = AlignedBuffer<UInt16>(zeros: 4 * padded)
            us_pack_projection(Int32(units), Int32(padded), precision, direction.bias.pointer, buffer.pointer)
            return buffer
        }
        table = ProjectionTable(weights, units: units, paddedUnits: padded, precision: precision)
    }

    /// The tabulated input of a token: 4 · padded H values.
    func projection(token: Int, direction: Int) -> UnsafePointer<UInt16> {
        table.row(token) + direction * 4 * paddedUnits
    }

    /// The tabulated input of a zero vector.
    func bias(direction: Int) -> UnsafePointer<UInt16> { UnsafePointer(biases[direction].pointer) }

    /// A step of this recurrence; the caller names the lines and their states.
    func step(direction: Int) -> us_step {
        var step = us_step()
        step.units = Int32(paddedUnits)
        step.precision = precision
        step.weights = UnsafeRawPointer(packed[direction].pointer)
        return step
    }
}
