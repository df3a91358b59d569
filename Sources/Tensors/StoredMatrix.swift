import CKernels

/// A matrix that is kept in its stored format and converted to f32 row by row: a half or a quarter of the memory.
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

/// The type of a tensor's numbers in a safetensors file.
///
/// The raw value is the format's own name. Source: github.com/huggingface/safetensors, README, "Format".
public enum StoredType: String, Sendable, CaseIterable {
    case bool = "BOOL"
    case u8 = "U8"
    case i8 = "I8"
    case f8e5m2 = "F8_E5M2"
    case f8e4m3 = "F8_E4M3"
    case f8e8m0 = "F8_E8M0"
    case i16 = "I16"
    case u16 = "U16"
    case f16 = "F16"
    case bf16 = "BF16"
    case i32 = "I32"
    case u32 = "U32"
    case f32 = "F32"
    case f64 = "F64"
    case i64 = "I64"
    case u64 = "U64"
    case c64 = "C64"

    /// Bytes of one number.
    public var byteCount: Int {
        switch self {
        case .bool, .u8, .i8, .f8e5m2, .f8e4m3, .f8e8m0: 1
        case .i16, .u16, .f16, .bf16: 2
        case .i32, .u32, .f32: 4
        case .f64, .i64, .u64, .c64: 8
        }
    }
}
