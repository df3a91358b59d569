import COneDNN

/// A dense row-major matrix of f32. A vector is a matrix of one row.
///
/// Despite its value type, copies share the storage, since weights are large. `copy()` makes a separate one.
///
/// A pointer into a matrix is valid only while some copy of the matrix exists: hold local ones with
/// `withExtendedLifetime`, since Swift may release a variable after its last use.
public struct Matrix: Sendable {
    public let rows: Int
    public let columns: Int
    public let storage: AlignedBuffer<Float>

    /// All zeros, (rows, columns).
    public init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
        storage = AlignedBuffer(zeros: rows * columns)
    }

    /// From `values` in row-major order; `values.count` must be rows · columns.
    public init(rows: Int, columns: Int, values: some Collection<Float>) {
        precondition(values.count == rows * columns, "\(values.count) values for \(rows)×\(columns)")
        self.rows = rows
        self.columns = columns
        storage = AlignedBuffer(values)
    }

    public var count: Int { storage.count }
    public var pointer: UnsafeMutablePointer<Float> { storage.pointer }

    /// The first element of a row.
    public func row(_ index: Int) -> UnsafeMutablePointer<Float> {
        precondition(index >= 0 && index < rows)
        return storage.pointer + index * columns
    }

    public func copy() -> Matrix {
        Matrix(rows: rows, columns: columns, values: UnsafeBufferPointer(start: pointer, count: count))
    }

    public func fill(_ value: Float) {
        pointer.update(repeating: value, count: count)
    }
}

/// Matrix products (oneDNN's sgemm), row-major f32.
public enum MatrixProduct {
    /// C (m,n) = alpha · op(A) · op(B) + beta · C with explicit leading dimensions (elements from a row to the next).
    ///
    /// op(A) is (m,k), op(B) is (k,n). The memory behind the pointers must be large enough; oneDNN checks only the
    /// sizes.
    public static func multiply(
        transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int, alpha: Float = 1,
        _ a: UnsafePointer<Float>, lda: Int, _ b: UnsafePointer<Float>, ldb: Int, beta: Float = 0,
        into c: UnsafeMutablePointer<Float>, ldc: Int
    ) {
        let status = understudy_onednn_sgemm(
            transposeA ? 1 : 0, transposeB ? 1 : 0, Int64(m), Int64(n), Int64(k), alpha, a, Int64(lda), b, Int64(ldb),
            beta, c, Int64(ldc))
        // oneDNN refuses only negative sizes and leading dimensions that are too small: programming errors of the
        // caller.
        precondition(status == 0, "oneDNN failed on a product of \(m)×\(k) and \(k)×\(n): status \(status)")
    }

    /// Sets how many threads oneDNN may use for products computed by the calling thread.
    public static func setThreads(_ count: Int) {
        understudy_onednn_set_threads(Int32(count))
    }
}
