import CKernels
import Tensors

/// What the fast path runs on: the recurrent weights packed for the kernels, and the product embedding · W_x + bias
/// tabulated by token, so that only the recurrence is left for each step.
final class FastRecurrence: Sendable {
    /// H rounded up to whole groups of units; the padded units stay zero.
    let paddedUnits: Int
    let usesBF16: Bool
    private let table: ProjectionTable
    private let packed: [AlignedBuffer<UInt8>]
    private let biases: [AlignedBuffer<UInt16>]

    /// - Parameter bf16: run the recurrence in bf16 where the processor can.
    init(_ configuration: StudentConfiguration, _ weights: StudentServingWeights, bf16: Bool) {
        let units = configuration.hiddenSize
        let group = Int(US_UNIT_GROUP)
        let padded = (units + group - 1) / group * group
        paddedUnits = padded
        usesBF16 = bf16 && us_has_bf16() == 1
        let precision = Int32((usesBF16 ? US_RECURRENCE_BF16 : US_RECURRENCE_F32).rawValue)
        packed = [weights.forward, weights.backward].map { direction in
            let buffer = AlignedBuffer<UInt8>(zeros: Int(us_recurrence_bytes(Int32(padded), precision)))
            us_pack_recurrence(Int32(units), Int32(padded), precision, direction.recurrent.pointer, buffer.pointer)
            return buffer
        }
        biases = [weights.forward, weights.backward].map { direction in
            let buffer = AlignedBuffer<UInt16>(zeros: 4 * padded)
            us_pack_projection(Int32(units), Int32(padded), direction.bias.pointer, buffer.pointer)
            return buffer
        }
        table = ProjectionTable(weights, units: units, paddedUnits: padded)
    }

    /// The tabulated input of a token: 4 · padded H values.
    func projection(token: Int, direction: Int) -> UnsafePointer<UInt16> {
        table.row(token) + direction * 4 * paddedUnits
    }

    /// The tabulated input of a zero vector.
    func bias(direction: Int) -> UnsafePointer<UInt16> { UnsafePointer(biases[direction].pointer) }

    func recurrence(direction: Int) -> us_recurrence {
        us_recurrence(
            units: Int32(paddedUnits),
            precision: Int32((usesBF16 ? US_RECURRENCE_BF16 : US_RECURRENCE_F32).rawValue),
            weights: UnsafeRawPointer(packed[direction].pointer))
    }
}
