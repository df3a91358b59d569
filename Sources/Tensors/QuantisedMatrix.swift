/// An i8 matrix with one f32 scale per row: element (r, c) is `scales[r] · values[r · columns + c]`.
///
/// Symmetric per-row quantisation: the greatest magnitude of a row becomes 127.
public struct QuantisedMatrix: Sendable {
    public let rows: Int
    public let columns: Int
    /// (rows, columns), row-major.
    public let values: AlignedBuffer<Int8>
    /// (rows)
    public let scales: AlignedBuffer<Float>

    public init(rows: Int, columns: Int, values: AlignedBuffer<Int8>, scales: AlignedBuffer<Float>) {
        precondition(values.count == rows * columns && scales.count == rows, "sizes don't fit \(rows)×\(columns)")
        self.rows = rows
        self.columns = columns
        self.values = values
        self.scales = scales
    }

    /// Rounds every row of `matrix`, which must be finite, to i8.
    public init(_ matrix: Matrix) {
        self.init(
            rows: matrix.rows, columns: matrix.columns, values: AlignedBuffer(zeros: matrix.count),
            scales: AlignedBuffer(zeros: matrix.rows))
        for row in 0..<rows {
            let source = matrix.row(row)
            var greatest: Float = 0
            for column in 0..<columns { greatest = max(greatest, abs(source[column])) }
            let scale = greatest / 127
            // A row of zeros, or of numbers so small that the scale itself is zero, stays zero.
            guard scale > 0, scale.isFinite else { continue }
            scales.pointer[row] = scale
            let target = values.pointer + row * columns
            for column in 0..<columns {
                let rounded = (source[column] / scale).rounded(.toNearestOrEven)
                target[column] = Int8(max(-127, min(127, rounded)))
            }
        }
    }

    /// The rows of several matrices of the same width, one matrix after the other.
    public init(stacking parts: [QuantisedMatrix]) {
        let columns = parts.first?.columns ?? 0
        precondition(parts.allSatisfy { $0.columns == columns }, "rows of different lengths can't be stacked")
        let rows = parts.reduce(0) { $0 + $1.rows }
        self.init(
            rows: rows, columns: columns, values: AlignedBuffer(zeros: rows * columns),
            scales: AlignedBuffer(zeros: rows))
        var first = 0
        for part in parts {
            (values.pointer + first * columns).update(from: part.values.pointer, count: part.values.count)
            (scales.pointer + first).update(from: part.scales.pointer, count: part.rows)
            first += part.rows
        }
    }

    /// The f32 matrix that this one represents, (rows, columns).
    public func dequantised() -> Matrix {
        let matrix = Matrix(rows: rows, columns: columns)
        for row in 0..<rows {
            let scale = scales.pointer[row]
            let source = values.pointer + row * columns
            let target = matrix.row(row)
            for column in 0..<columns { target[column] = scale * Float(source[column]) }
        }
        return matrix
    }
}
