import CKernels
import Tensors

/// What the fast path knows of a student before any line comes: the recurrent weights packed for the kernels, and the
/// product embedding · W_x + bias tabulated for every token, so that only the recurrence is left for each step.
///
/// The table holds f16: (V, 2 directions, 4 · padded H), about 2 kB a token at H = 128.
final class FastRecurrence: Sendable {
    /// H rounded up to whole groups of units; the padded units stay zero.
    let paddedUnits: Int
    let usesBF16: Bool
    private let table: AlignedBuffer<UInt16>
    private let packed: [AlignedBuffer<UInt8>]
    private let biases: [AlignedBuffer<UInt16>]

    /// - Parameter bf16: run the recurrence in bf16 where the processor can.
    init(_ configuration: StudentConfiguration, _ weights: StudentWeights, bf16: Bool) {
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
        table = AlignedBuffer(zeros: configuration.vocabularySize * 8 * padded)
        fill(configuration, weights)
    }

    private func fill(_ configuration: StudentConfiguration, _ weights: StudentWeights) {
        let units = configuration.hiddenSize
        let block = 256
        let products = Matrix(rows: block, columns: 4 * units)
        withExtendedLifetime(products) {
            for first in stride(from: 0, to: configuration.vocabularySize, by: block) {
                let rows = min(block, configuration.vocabularySize - first)
                for (index, direction) in [weights.forward, weights.backward].enumerated() {
                    for row in 0..<rows { products.row(row).update(from: direction.bias.pointer, count: 4 * units) }
                    MatrixProduct.multiply(
                        transposeB: true, m: rows, n: 4 * units, k: configuration.embeddingSize,
                        weights.embedding.row(first), lda: configuration.embeddingSize, direction.input.pointer,
                        ldb: configuration.embeddingSize, beta: 1, into: products.pointer, ldc: 4 * units)
                    for row in 0..<rows {
                        us_pack_projection(
                            Int32(units), Int32(paddedUnits), products.row(row),
                            table.pointer + ((first + row) * 2 + index) * 4 * paddedUnits)
                    }
                }
            }
        }
    }

    /// The tabulated input of a token: 4 · padded H values.
    func projection(token: Int, direction: Int) -> UnsafePointer<UInt16> {
        UnsafePointer(table.pointer + (token * 2 + direction) * 4 * paddedUnits)
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
