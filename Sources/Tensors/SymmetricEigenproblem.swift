/// Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's cyclic rotations (Golub & Van Loan 2013, §8.5).
///
/// A few hundred rows at most: the work grows with their cube.
enum SymmetricEigenproblem {
    /// - Parameter matrix: (d, d), symmetric.
    /// - Returns: d eigenvalues, and the eigenvectors as columns of a row-major (d, d).
    static func solve(_ matrix: Matrix) -> (values: [Double], vectors: [Double]) {
        let d = matrix.rows
        var a = matrix.storage.array.map(Double.init)
        // Rows of `v` are the eigenvectors until the end: rotating rows is kind to the cache.
        var v = [Double](repeating: 0, count: d * d)
        for index in 0..<d { v[index * d + index] = 1 }
        let scale = a.reduce(0) { $0 + $1 * $1 }
        for _ in 0..<60 {
            var off = 0.0
            for row in 0..<d { for column in 0..<row { off += a[row * d + column] * a[row * d + column] } }
            if off <= 1e-18 * scale { break }
            for p in 0..<d {
                for q in (p + 1)..<max(d, p + 1) { rotate(&a, &v, d, p, q) }
            }
        }
        var vectors = [Double](repeating: 0, count: d * d)
        for row in 0..<d { for column in 0..<d { vectors[column * d + row] = v[row * d + column] } }
        return ((0..<d).map { a[$0 * d + $0] }, vectors)
    }

    /// Zeroes a[p][q]; only rows are touched twice, the matrix stays symmetric by mirroring.
    private static func rotate(_ a: inout [Double], _ v: inout [Double], _ d: Int, _ p: Int, _ q: Int) {
        let apq = a[p * d + q]
        guard abs(apq) > 1e-300 else { return }
        let theta = (a[q * d + q] - a[p * d + p]) / (2 * apq)
        let t = (theta >= 0 ? 1.0 : -1.0) / (abs(theta) + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot()
        let s = t * c
        a.withUnsafeMutableBufferPointer { a in
            for k in 0..<d {
                let x = a[p * d + k]
                let y = a[q * d + k]
                a[p * d + k] = c * x - s * y
                a[q * d + k] = s * x + c * y
            }
            for k in 0..<d {
                let x = a[k * d + p]
                let y = a[k * d + q]
                a[k * d + p] = c * x - s * y
                a[k * d + q] = s * x + c * y
            }
        }
        v.withUnsafeMutableBufferPointer { v in
            for k in 0..<d {
                let x = v[p * d + k]
                let y = v[q * d + k]
                v[p * d + k] = c * x - s * y
                v[q * d + k] = s * x + c * y
            }
        }
    }
}
