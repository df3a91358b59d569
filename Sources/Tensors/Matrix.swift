/// A dense row-major matrix of f32. A vector is a matrix of one row.
///
/// A value type only in name: copies share the storage (weights are large). `copy()` makes a separate one.
///
/// A pointer into a matrix is good only as long as some copy of the matrix is: hold local ones with
/// `withExtendedLifetime`, since Swift may release a variable after its last mention.
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
