import CKernels
import Diagnostics
import Tensors

/// A teacher's weights for the encoder: dense layers ready for products, word embeddings as stored, the rest in f32.
struct TeacherServingWeights: Sendable {
    /// One encoder block.
    struct Layer: Sendable {
        let queryKeyValue: DenseProduct
        let attentionOutput: DenseProduct
        let intermediate: DenseProduct
        let output: DenseProduct
        /// Supplies the biases and LayerNorms; the matrices only if the products need them.
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

    /// Shares the matrices of `weights`; matrices in `quantised`, by their Hugging Face names, replace them.
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

/// The arithmetic of a teacher's dense layers in classification. Everything else is always f32.
public enum TeacherPrecision: String, Sendable, CaseIterable {
    /// f32 throughout: the reference.
    case f32
    /// Weights and inputs rounded to bf16, sums in f32: twice as fast if the processor has AVX512-BF16, otherwise the
    /// same as f32.
    case bf16
    /// Weights rounded to 8 bits per output, inputs to 8 bits per token, integer sums if the processor has AVX-512
    /// VNNI; otherwise the same as f32.
    case i8

    /// i8, or the value of the environment variable `UNDERSTUDY_PRECISION`.
    public static var serving: TeacherPrecision {
        EnvironmentVariable.value("UNDERSTUDY_PRECISION").flatMap(TeacherPrecision.init) ?? .i8
    }

    /// Whether this processor supports it.
    public var isSupported: Bool {
        switch self {
        case .f32: true
        case .bf16: us_level() == US_AVX512.rawValue && bert_bf16_supported() != 0
        case .i8: us_has_vnni() == 1 && bert_i8_supported() != 0
        }
    }
}
