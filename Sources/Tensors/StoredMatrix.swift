import CKernels

/// A matrix that is kept as it is stored on disk and read as f32 row by row: a half or a quarter of the memory.
public enum StoredMatrix: Sendable {
    case single(Matrix)
    /// (rows, columns) of f16, row-major.
    case half(rows: Int, columns: Int, AlignedBuffer<UInt16>)
    case quantised(QuantisedMatrix)

    public var rows: Int {
        switch self {
        case .single(let matrix): matrix.rows
        case .half(let rows, _, _): rows
        case .quantised(let matrix): matrix.rows
        }
    }

    public var columns: Int {
        switch self {
        case .single(let matrix): matrix.columns
        case .half(_, let columns, _): columns
        case .quantised(let matrix): matrix.columns
        }
    }

    /// Writes `count` rows from `first` on to `out`, (count, columns).
    public func read(first: Int, count: Int = 1, into out: UnsafeMutablePointer<Float>) {
        precondition(first >= 0 && count >= 0 && first + count <= rows, "there are no such rows")
        let columns = columns
        switch self {
        case .single(let matrix):
            out.update(from: matrix.pointer + first * columns, count: count * columns)
        case .half(_, _, let values):
            us_read_f16(Int64(count * columns), values.pointer + first * columns, out)
        case .quantised(let matrix):
            for row in 0..<count {
                us_read_i8(
                    Int64(columns), matrix.values.pointer + (first + row) * columns,
                    matrix.scales.pointer[first + row], out + row * columns)
            }
        }
    }
}
