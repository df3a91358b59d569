import Tensors

/// One tensor of a teacher under Hugging Face's name: a whole matrix, or a run of elements of one (query, key and
/// value share a matrix here and are apart in the file).
public struct TeacherTensor: Sendable {
    /// The name in a `BertForSequenceClassification` file, such as `bert.encoder.layer.0.output.dense.weight`.
    public let name: String
    /// The shape in the file: one number for biases and LayerNorms, two for the rest.
    public let shape: [Int]
    /// The matrix that holds the elements.
    public let matrix: Matrix
    /// The first of the elements in `matrix`; the others follow it.
    public let offset: Int

    public init(_ name: String, _ matrix: Matrix, shape: [Int], offset: Int = 0) {
        precondition(offset + shape.reduce(1, *) <= matrix.count)
        self.name = name
        self.shape = shape
        self.matrix = matrix
        self.offset = offset
    }

    public var count: Int { shape.reduce(1, *) }

    public var pointer: UnsafeMutablePointer<Float> { matrix.pointer + offset }

    /// A copy of the elements, (1, n) or (rows, columns).
    public var contents: Matrix {
        Matrix(
            rows: shape.count == 1 ? 1 : shape[0], columns: shape[shape.count - 1],
            values: UnsafeBufferPointer(start: pointer, count: count))
    }
}
