import Tensors

/// The weights of one encoder block. A dense layer's matrix is (outputs, inputs), as PyTorch keeps it.
public struct TeacherLayerWeights: Sendable {
    /// Query, key and value on top of each other, (3 · hidden, hidden): one product makes all three.
    public let queryKeyValue: Matrix
    public let queryKeyValueBias: Matrix
    /// (hidden, hidden)
    public let attentionOutput: Matrix
    public let attentionOutputBias: Matrix
    public let attentionNormGain: Matrix
    public let attentionNormShift: Matrix
    /// (intermediate, hidden)
    public let intermediate: Matrix
    public let intermediateBias: Matrix
    /// (hidden, intermediate)
    public let output: Matrix
    public let outputBias: Matrix
    public let outputNormGain: Matrix
    public let outputNormShift: Matrix

    /// All zeros, with the shapes that `configuration` asks for.
    public init(zeros configuration: TeacherConfiguration) {
        let hidden = configuration.hiddenSize
        let wide = configuration.intermediateSize
        queryKeyValue = Matrix(rows: 3 * hidden, columns: hidden)
        queryKeyValueBias = Matrix(rows: 1, columns: 3 * hidden)
        attentionOutput = Matrix(rows: hidden, columns: hidden)
        attentionOutputBias = Matrix(rows: 1, columns: hidden)
        attentionNormGain = Matrix(rows: 1, columns: hidden)
        attentionNormShift = Matrix(rows: 1, columns: hidden)
        intermediate = Matrix(rows: wide, columns: hidden)
        intermediateBias = Matrix(rows: 1, columns: wide)
        output = Matrix(rows: hidden, columns: wide)
        outputBias = Matrix(rows: 1, columns: hidden)
        outputNormGain = Matrix(rows: 1, columns: hidden)
        outputNormShift = Matrix(rows: 1, columns: hidden)
    }
}
