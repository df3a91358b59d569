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
    /// (hidden, hidden); used where the configuration pools by the first token.
    public let pooler: Matrix
    public let poolerBias: Matrix
    /// (labels, hidden)
    public let classifier: Matrix
    public let classifierBias: Matrix
    private let hasPooler: Bool

    /// All zeros, with the shapes that `configuration` asks for.
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
