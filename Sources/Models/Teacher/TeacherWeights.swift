import Diagnostics
import Tensors

/// All weights of a BERT classifier, as f32.
///
/// Source of the architecture: Devlin et al. 2019, "BERT"; names and layout are those of Hugging Face Transformers.
public struct TeacherWeights: Sendable {
    /// (vocabulary, hidden)
    public let wordEmbeddings: Matrix
    /// (maximum length, hidden)
    public let positionEmbeddings: Matrix
    /// (token types, hidden)
    public let typeEmbeddings: Matrix
    public let embeddingNormGain: Matrix
    public let embeddingNormShift: Matrix
    public let layers: [TeacherLayerWeights]
    /// (hidden, hidden); used if the configuration pools by the first token.
    public let pooler: Matrix
    public let poolerBias: Matrix
    /// (labels, hidden)
    public let classifier: Matrix
    public let classifierBias: Matrix
    private let hasPooler: Bool

    /// All zeros, with the shapes of `configuration`.
    public init(zeros configuration: TeacherConfiguration) {
        let hidden = configuration.hiddenSize
        wordEmbeddings = Matrix(rows: configuration.vocabularySize, columns: hidden)
        positionEmbeddings = Matrix(rows: configuration.maximumLength, columns: hidden)
        typeEmbeddings = Matrix(rows: configuration.typeVocabularySize, columns: hidden)
        embeddingNormGain = Matrix(rows: 1, columns: hidden)
        embeddingNormShift = Matrix(rows: 1, columns: hidden)
        layers = (0..<configuration.layers).map { _ in TeacherLayerWeights(zeros: configuration) }
        hasPooler = configuration.pooling == .cls
        pooler = Matrix(rows: hasPooler ? hidden : 0, columns: hidden)
        poolerBias = Matrix(rows: 1, columns: hasPooler ? hidden : 0)
        classifier = Matrix(rows: configuration.labels.count, columns: hidden)
        classifierBias = Matrix(rows: 1, columns: configuration.labels.count)
    }

    /// Every tensor under its Hugging Face name, in the order of the forward pass.
    public var tensors: [TeacherTensor] {
        embeddingTensors + layers.indices.flatMap { layerTensors($0) } + headTensors
    }

    public var embeddingTensors: [TeacherTensor] {
        [
            .init(Self.wordEmbeddingsName, matrix: wordEmbeddings),
            .init("bert.embeddings.position_embeddings.weight", matrix: positionEmbeddings),
            .init("bert.embeddings.token_type_embeddings.weight", matrix: typeEmbeddings),
            .init("bert.embeddings.LayerNorm.weight", vector: embeddingNormGain),
            .init("bert.embeddings.LayerNorm.bias", vector: embeddingNormShift),
        ]
    }

    static let wordEmbeddingsName = "bert.embeddings.word_embeddings.weight"

    /// The names of a block's matrices.
    static func matrixNames(
        layer index: Int
    ) -> (queryKeyValue: [String], attentionOutput: String, intermediate: String, output: String) {
        let name = "bert.encoder.layer.\(index)."
        return (
            ["query", "key", "value"].map { "\(name)attention.self.\($0).weight" },
            "\(name)attention.output.dense.weight", "\(name)intermediate.dense.weight", "\(name)output.dense.weight"
        )
    }

    public func layerTensors(_ index: Int) -> [TeacherTensor] {
        let layer = layers[index]
        let name = "bert.encoder.layer.\(index)."
        let hidden = layer.queryKeyValue.columns
        let names = Self.matrixNames(layer: index)
        let projections = ["query", "key", "value"].enumerated().flatMap { part, projection in
            [
                TeacherTensor(
                    names.queryKeyValue[part], layer.queryKeyValue, shape: [hidden, hidden],
                    offset: part * hidden * hidden),
                TeacherTensor(
                    "\(name)attention.self.\(projection).bias", layer.queryKeyValueBias, shape: [hidden],
                    offset: part * hidden),
            ]
        }
        return projections + [
            .init(names.attentionOutput, matrix: layer.attentionOutput),
            .init("\(name)attention.output.dense.bias", vector: layer.attentionOutputBias),
            .init("\(name)attention.output.LayerNorm.weight", vector: layer.attentionNormGain),
            .init("\(name)attention.output.LayerNorm.bias", vector: layer.attentionNormShift),
            .init(names.intermediate, matrix: layer.intermediate),
            .init("\(name)intermediate.dense.bias", vector: layer.intermediateBias),
            .init(names.output, matrix: layer.output),
            .init("\(name)output.dense.bias", vector: layer.outputBias),
            .init("\(name)output.LayerNorm.weight", vector: layer.outputNormGain),
            .init("\(name)output.LayerNorm.bias", vector: layer.outputNormShift),
        ]
    }

    public var poolerTensors: [TeacherTensor] {
        guard hasPooler else { return [] }
        return [
            .init("bert.pooler.dense.weight", matrix: pooler), .init("bert.pooler.dense.bias", vector: poolerBias),
        ]
    }

    public var classifierTensors: [TeacherTensor] {
        [.init("classifier.weight", matrix: classifier), .init("classifier.bias", vector: classifierBias)]
    }

    public var headTensors: [TeacherTensor] { poolerTensors + classifierTensors }
}

extension TeacherTensor {
    init(_ name: String, matrix: Matrix) {
        self.init(name, matrix, shape: [matrix.rows, matrix.columns])
    }

    init(_ name: String, vector: Matrix) {
        self.init(name, vector, shape: [vector.columns])
    }
}

/// The weights of one encoder block. A dense layer's matrix is (outputs, inputs), as in PyTorch.
public struct TeacherLayerWeights: Sendable {
    /// Query, key and value stacked, (3 · hidden, hidden): one product computes all three.
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

    /// All zeros, with the shapes of `configuration`.
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

/// One tensor of a teacher by its Hugging Face name: a whole matrix, or a run of elements of one (query, key and value
/// share a matrix here but are separate in the file).
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
