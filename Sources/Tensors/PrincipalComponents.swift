/// The directions along which rows vary most (principal component analysis, Pearson 1901).
public enum PrincipalComponents {
    /// Projects rows on their first `dimensions` principal components, weighted.
    ///
    /// - Parameters:
    ///   - rows: (n, d).
    ///   - weights: (n), each row's weight in mean and covariance; rows of weight 0 are projected all the same.
    ///   - dimensions: at most d.
    /// - Returns: (n, dimensions), centred on the weighted mean; columns by falling variance. The sign of a component
    ///   is chosen so that its largest entry is positive, so the result doesn't depend on the solver.
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

    /// Unit eigenvectors of the largest eigenvalues, one a row.
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
