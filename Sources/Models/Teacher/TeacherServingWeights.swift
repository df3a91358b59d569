import Tensors

/// What the encoder reads of a teacher: dense layers ready for products, word embeddings as they are stored, the rest
/// in f32.
struct TeacherServingWeights: Sendable {
    /// One encoder block.
    struct Layer: Sendable {
        let queryKeyValue: DenseProduct
        let attentionOutput: DenseProduct
        let intermediate: DenseProduct
        let output: DenseProduct
        /// The biases and LayerNorms are taken from here; the matrices only where the products need them.
        let vectors: Vectors
    }

    /// A block's vectors, named as in `TeacherLayerWeights`.
    struct Vectors: Sendable {
        let queryKeyValueBias: Matrix
        let attentionOutputBias: Matrix
        let attentionNormGain: Matrix
        let attentionNormShift: Matrix
        let intermediateBias: Matrix
        let outputBias: Matrix
        let outputNormGain: Matrix
        let outputNormShift: Matrix

        init(_ weights: TeacherLayerWeights) {
            queryKeyValueBias = weights.queryKeyValueBias
            attentionOutputBias = weights.attentionOutputBias
            attentionNormGain = weights.attentionNormGain
            attentionNormShift = weights.attentionNormShift
            intermediateBias = weights.intermediateBias
            outputBias = weights.outputBias
            outputNormGain = weights.outputNormGain
            outputNormShift = weights.outputNormShift
        }
    }

    /// (vocabulary, hidden)
    let wordEmbeddings: StoredMatrix
    let positionEmbeddings: Matrix
    let typeEmbeddings: Matrix
    let embeddingNormGain: Matrix
    let embeddingNormShift: Matrix
    let layers: [Layer]
    let pooler: Matrix
    let poolerBias: Matrix
    let classifier: Matrix
    let classifierBias: Matrix

    /// Shares the matrices of `weights`; those that `quantised` has under their Hugging Face names come from there.
    init(
        _ weights: TeacherWeights, quantised: TeacherWeightsFile.Quantised = [:], precision: TeacherPrecision
    ) {
        func product(_ matrix: Matrix, _ names: [String]) -> DenseProduct {
            let parts = names.compactMap { quantised[$0] }
            guard let first = parts.first, parts.count == names.count else {
                return DenseProduct(matrix, precision: precision)
            }
            return DenseProduct(parts.count == 1 ? first : QuantisedMatrix(stacking: parts), precision: precision)
        }
        wordEmbeddings =
            quantised[TeacherWeights.wordEmbeddingsName].map { .quantised($0) } ?? .single(weights.wordEmbeddings)
        positionEmbeddings = weights.positionEmbeddings
        typeEmbeddings = weights.typeEmbeddings
        embeddingNormGain = weights.embeddingNormGain
        embeddingNormShift = weights.embeddingNormShift
        layers = weights.layers.enumerated().map { index, layer in
            let names = TeacherWeights.matrixNames(layer: index)
            return Layer(
                queryKeyValue: product(layer.queryKeyValue, names.queryKeyValue),
                attentionOutput: product(layer.attentionOutput, [names.attentionOutput]),
                intermediate: product(layer.intermediate, [names.intermediate]),
                output: product(layer.output, [names.output]), vectors: Vectors(layer))
        }
        pooler = weights.pooler
        poolerBias = weights.poolerBias
        classifier = weights.classifier
        classifierBias = weights.classifierBias
    }
}
