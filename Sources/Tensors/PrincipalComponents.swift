/// The directions of greatest variance of rows (principal component analysis, Pearson 1901).
public enum PrincipalComponents {
    /// Projects rows on their first `dimensions` principal components, weighted.
    ///
    /// - Parameters:
    ///   - rows: (n, d).
    ///   - weights: (n), each row's weight in mean and covariance; rows of weight 0 are projected as well.
    ///   - dimensions: at most d.
    /// - Returns: (n, dimensions), centred on the weighted mean; columns by decreasing variance. The sign of a
    ///   component is chosen so that its largest entry is positive, so the result doesn't depend on the solver.
    public static func project(_ rows: Matrix, weights: [Float], dimensions: Int) -> Matrix {
        let d = rows.columns
        precondition(weights.count == rows.rows && dimensions <= d)
        var mean = [Double](repeating: 0, count: d)
        var total = 0.0
        let centred = Matrix(rows: rows.rows, columns: d)
        let weighted = Matrix(rows: rows.rows, columns: d)
        let covariance = Matrix(rows: d, columns: d)
        let result = Matrix(rows: rows.rows, columns: dimensions)
        withExtendedLifetime((centred, weighted, covariance, rows)) {
            for row in 0..<rows.rows where weights[row] > 0 {
                total += Double(weights[row])
                for column in 0..<d { mean[column] += Double(weights[row]) * Double(rows.row(row)[column]) }
            }
            for row in 0..<rows.rows {
                for column in 0..<d {
                    let value = rows.row(row)[column] - Float(mean[column] / max(total, 1e-30))
                    centred.row(row)[column] = value
                    weighted.row(row)[column] = value * weights[row]
                }
            }
            MatrixProduct.multiply(
                transposeA: true, m: d, n: d, k: rows.rows, alpha: Float(1 / max(total, 1e-30)), weighted.pointer,
                lda: d, centred.pointer, ldb: d, into: covariance.pointer, ldc: d)
            let basis = Matrix(rows: dimensions, columns: d, values: leading(covariance, dimensions))
            withExtendedLifetime(basis) {
                MatrixProduct.multiply(
                    transposeB: true, m: rows.rows, n: dimensions, k: d, centred.pointer, lda: d, basis.pointer,
                    ldb: d, into: result.pointer, ldc: dimensions)
            }
        }
        return result
    }

    /// Unit eigenvectors of the largest eigenvalues, one per row.
    private static func leading(_ covariance: Matrix, _ count: Int) -> [Float] {
        let (values, vectors) = SymmetricEigenproblem.solve(covariance)
        let d = covariance.columns
        let order = (0..<d).sorted { (values[$1], $0) < (values[$0], $1) }
        var result: [Float] = []
        result.reserveCapacity(count * d)
        for component in order.prefix(count) {
            let vector = (0..<d).map { vectors[$0 * d + component] }
            let largest = vector.max { abs($0) < abs($1) } ?? 1
            result.append(contentsOf: vector.map { Float(largest < 0 ? -$0 : $0) })
        }
        return result
    }
}

/// Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's cyclic rotations (Golub & Van Loan 2013, §8.5).
///
/// For a few hundred rows at most: the time grows with their cube.
enum SymmetricEigenproblem {
    /// - Parameter matrix: (d, d), symmetric.
    /// - Returns: d eigenvalues, and the eigenvectors as columns of a row-major (d, d).
    static func solve(_ matrix: Matrix) -> (values: [Double], vectors: [Double]) {
        let d = matrix.rows
        var a = matrix.storage.array.map(Double.init)
        // The eigenvectors are the rows of `v` until the end, since rotating rows is cache-friendly.
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

    /// Zeroes a[p][q]; only rows are updated twice, and mirroring keeps the matrix symmetric.
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
