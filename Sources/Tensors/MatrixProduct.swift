import COneDNN

/// Matrix products (oneDNN's sgemm), row-major f32.
public enum MatrixProduct {
    /// C (m,n) = alpha · op(A) · op(B) + beta · C with explicit leading dimensions (elements from a row to the next).
    ///
    /// op(A) is (m,k), op(B) is (k,n). The pointers must reach that far; oneDNN checks only the sizes.
    public static func multiply(
        transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int, alpha: Float = 1,
        _ a: UnsafePointer<Float>, lda: Int, _ b: UnsafePointer<Float>, ldb: Int, beta: Float = 0,
        into c: UnsafeMutablePointer<Float>, ldc: Int
    ) {
        let status = understudy_onednn_sgemm(
            transposeA ? 1 : 0, transposeB ? 1 : 0, Int64(m), Int64(n), Int64(k), alpha, a, Int64(lda), b, Int64(ldb),
            beta, c, Int64(ldc))
        // oneDNN refuses only negative sizes and leading dimensions that are too small: errors of the caller's code.
        precondition(status == 0, "oneDNN refused a product of \(m)×\(k) and \(k)×\(n): status \(status)")
    }

    /// How many threads oneDNN may use for products asked for by the calling thread.
    public static func setThreads(_ count: Int) {
        understudy_onednn_set_threads(Int32(count))
    }
}
