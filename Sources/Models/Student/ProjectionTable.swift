import CKernels
import Synchronization
import Tensors

/// The product embedding · W_x + bias of every token that has been met, made when it is met for the first time: of a
/// vocabulary most lines use a small part, and what is never read takes no memory.
///
/// Rows hold f16: (2 directions, 4 · padded H), about 2 kB at H = 128. They lie one after the other in the order of
/// their first use, so that frequent tokens share cache lines and pages with each other.
///
/// `@unchecked Sendable`: `rows` never moves; its entries are atomic and change once, from nil to a row that is
/// complete and stays. Everything else is behind the mutex.
final class ProjectionTable: @unchecked Sendable {
    /// W_xᵀ (E, outputs) and the bias, outputs rounded up to whole blocks of the kernel's.
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
        directions = [Direction(weights.forward), Direction(weights.backward)]
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
            // Another thread may have been faster.
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
