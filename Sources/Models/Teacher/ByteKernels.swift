import CKernels
import Tensors

/// Kernels of dense layers on bytes (bert_i8.h), for the best instruction set of the selected level.
///
/// `@unchecked Sendable`: the table is a constant of the C library, so every thread may read it.
struct ByteKernels: @unchecked Sendable {
    /// Outputs per panel of packed weights.
    static let panel = Int(BERT_I8_PANEL)

    private let table: UnsafePointer<bert_i8_kernels>

    /// Nil at the level "portable".
    static var best: ByteKernels? { bert_i8_best().map { ByteKernels(table: $0) } }

    /// The kernels of that name, if this processor supports them.
    static func named(_ name: String) -> ByteKernels? { bert_i8_named(name).map { ByteKernels(table: $0) } }

    /// The bytes of a converted row of `inputs` numbers.
    func width(_ inputs: Int) -> Int { Int(table.pointee.width(Int64(inputs))) }

    /// The weights as `multiply` reads them.
    func packed(_ weights: QuantisedMatrix) -> AlignedBuffer<UInt8> {
        let (rows, columns) = (Int64(weights.rows), Int64(weights.columns))
        let packed = AlignedBuffer<UInt8>(
            zeros: Int(table.pointee.packed_bytes(weights.values.pointer, rows, columns)))
        table.pointee.pack(packed.pointer, weights.values.pointer, weights.scales.pointer, rows, columns)
        return packed
    }

    /// `bytes` (rows, width(inputs)) and `scales` (rows) = `x` (rows, inputs), rounded.
    func convert(
        _ x: UnsafePointer<Float>, rows: Int, inputs: Int, into bytes: UnsafeMutablePointer<UInt8>,
        scales: UnsafeMutablePointer<Float>
    ) {
        table.pointee.convert(bytes, scales, x, Int64(rows), Int64(inputs))
    }

    /// `y` (rows, outputs.count; stride) = x · W[outputs]ᵀ, with x as `convert` and W as `packed` gave them. The range
    /// begins at a panel.
    func multiply(
        _ x: UnsafePointer<UInt8>, _ scales: UnsafePointer<Float>, rows: Int, _ packed: UnsafePointer<UInt8>,
        _ outputs: Range<Int>, inputs: Int, into y: UnsafeMutablePointer<Float>, stride: Int
    ) {
        table.pointee.product(
            y, Int64(stride), x, scales, Int64(rows), packed, Int64(outputs.lowerBound), Int64(outputs.count),
            Int64(inputs))
    }
}
