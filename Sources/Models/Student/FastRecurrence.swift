import CKernels
import Diagnostics
import Synchronization
import Tensors

/// The data of the fast path: the recurrent weights packed for the kernels, and the product embedding · W_x + bias
/// tabulated by token, so that each step computes only the recurrence.
final class FastRecurrence: Sendable {
    /// H rounded up to whole groups of units; the padding units stay zero.
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
        packed = [weights.f32.forward, weights.f32.backward].map { direction in
            let buffer = AlignedBuffer<UInt8>(zeros: Int(us_recurrence_bytes(Int32(padded), precision)))
            us_pack_recurrence(Int32(units), Int32(padded), precision, direction.recurrent.pointer, buffer.pointer)
            return buffer
        }
        biases = [weights.f32.forward, weights.f32.backward].map { direction in
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

    /// A step of this recurrence; the caller sets the lines and their states.
    func step(direction: Int) -> us_step {
        var step = us_step()
        step.units = Int32(paddedUnits)
        step.precision = precision
        step.weights = UnsafeRawPointer(packed[direction].pointer)
        return step
    }
}

/// The arithmetic of the fast path's recurrence. Cells, gates and everything else are always f32.
public enum RecurrencePrecision: String, Sendable, CaseIterable {
    /// f32 throughout.
    case f32
    /// Recurrent weights and hidden states rounded to bf16; f32 if the processor has no AVX512-BF16.
    case bf16
    /// Recurrent weights rounded to 8 bits per column, hidden states to 8 bits: integers on every processor, with the
    /// byte dot product of AVX-512 VNNI or AVX-VNNI if available.
    case i8

    /// i8, or the value of the environment variable `UNDERSTUDY_PRECISION`.
    public static var serving: RecurrencePrecision {
        EnvironmentVariable.value("UNDERSTUDY_PRECISION").flatMap(RecurrencePrecision.init) ?? .i8
    }

    /// The kernel's code for it on this processor.
    var kernelCode: Int32 {
        switch self {
        case .f32: Int32(US_RECURRENCE_F32.rawValue)
        case .bf16: Int32((us_has_bf16() == 1 ? US_RECURRENCE_BF16 : US_RECURRENCE_F32).rawValue)
        case .i8: us_byte_recurrence()
        }
    }
}

/// The product embedding · W_x + bias of every token used so far, computed at the token's first use: most lines use a
/// small part of the vocabulary, and unused entries take no memory.
///
/// Rows hold f16: (2 directions, 4 · padded H), about 2 kB at H = 128. They are stored in the order of their first use,
/// so that frequent tokens share cache lines and pages.
///
/// `@unchecked Sendable`: `rows` never moves; its entries are atomic and change once, from nil to a complete row.
/// Everything else is protected by the mutex.
final class ProjectionTable: @unchecked Sendable {
    /// W_xᵀ (E, outputs) and the bias, outputs rounded up to whole blocks of the kernel.
    private struct Direction {
        let weights: Matrix
        let bias: Matrix

        init(_ direction: StudentWeights.Direction) {
            let block = Int(US_PROJECTION_BLOCK)
            let outputs = direction.input.rows
            let padded = (outputs + block - 1) / block * block
            weights = Matrix(rows: direction.input.columns, columns: padded)
            bias = Matrix(rows: 1, columns: padded)
            for output in 0..<outputs {
                bias.pointer[output] = direction.bias.pointer[output]
                for input in 0..<direction.input.columns {
                    weights.row(input)[output] = direction.input.row(output)[input]
                }
            }
        }
    }

    private struct Growth {
        var slabs: [AlignedBuffer<UInt16>] = []
        var used = 0
        let input: Matrix
        let products: Matrix
    }

    private let embedding: StoredMatrix
    private let directions: [Direction]
    private let units: Int
    private let paddedUnits: Int
    private let precision: Int32
    private let rowsInSlab: Int
    private let rows: UnsafeMutablePointer<Atomic<UnsafePointer<UInt16>?>>
    private let growth: Mutex<Growth>

    init(_ weights: StudentServingWeights, units: Int, paddedUnits: Int, precision: Int32) {
        embedding = weights.embedding
        directions = [Direction(weights.f32.forward), Direction(weights.f32.backward)]
        self.units = units
        self.paddedUnits = paddedUnits
        self.precision = precision
        // About a megabyte.
        rowsInSlab = max(1, (1 << 20) / (16 * paddedUnits))
        rows = .allocate(capacity: embedding.rows)
        for token in 0..<embedding.rows { (rows + token).initialize(to: Atomic(nil)) }
        growth = Mutex(
            Growth(
                input: Matrix(rows: 1, columns: embedding.columns),
                products: Matrix(rows: 1, columns: directions[0].bias.columns)))
    }

    deinit {
        rows.deinitialize(count: embedding.rows)
        rows.deallocate()
    }

    /// The row of a token: 8 · padded H values, the forward direction's first.
    func row(_ token: Int) -> UnsafePointer<UInt16> {
        rows[token].load(ordering: .acquiring) ?? make(token)
    }

    @inline(never)
    private func make(_ token: Int) -> UnsafePointer<UInt16> {
        growth.withLock { growth in
            // Another thread may have computed it meanwhile.
            if let row = rows[token].load(ordering: .relaxed) { return row }
            let width = 8 * paddedUnits
            let place = growth.used % rowsInSlab
            if place == 0 { growth.slabs.append(AlignedBuffer(zeros: rowsInSlab * width)) }
            let row = growth.slabs[growth.slabs.count - 1].pointer + place * width
            embedding.read(first: token, into: growth.input.pointer)
            for (index, direction) in directions.enumerated() {
                us_project(
                    Int32(direction.bias.columns), Int32(embedding.columns), direction.weights.pointer,
                    direction.bias.pointer, growth.input.pointer, growth.products.pointer)
                us_pack_projection(
                    Int32(units), Int32(paddedUnits), precision, growth.products.pointer,
                    row + index * 4 * paddedUnits)
            }
            growth.used += 1
            rows[token].store(UnsafePointer(row), ordering: .releasing)
            return UnsafePointer(row)
        }
    }
}
