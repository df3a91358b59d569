import CKernels
import Diagnostics
import Tensors

/// A teacher's weights for the encoder: dense layers ready for products, word embeddings as stored, the rest in f32.
struct TeacherServingWeights: Sendable {
    /// The dense layers of one encoder block.
    struct Layer: Sendable {
        let queryKeyValue: DenseProduct
        let attentionOutput: DenseProduct
        let intermediate: DenseProduct
        let output: DenseProduct
    }

    /// (vocabulary, hidden)
    let wordEmbeddings: StoredMatrix
    let layers: [Layer]
    /// Everything else.
    let f32: TeacherWeights

    /// Shares the matrices of `weights`; those in `quantised` replace them.
    init(
        _ weights: TeacherWeights, quantised: TeacherWeightsFile.Quantised = [:], precision: TeacherPrecision
    ) {
        func product(_ layer: Int, _ matrix: TeacherMatrix.Block) -> DenseProduct {
            quantised[.block(layer, matrix)].map { DenseProduct($0, precision: precision) }
                ?? DenseProduct(weights.layers[layer][matrix], precision: precision)
        }
        wordEmbeddings =
            quantised[.outer(.wordEmbeddings)].map { .quantised($0) } ?? .single(weights.wordEmbeddings)
        layers = weights.layers.indices.map { layer in
            Layer(
                queryKeyValue: product(layer, .queryKeyValue), attentionOutput: product(layer, .attentionOutput),
                intermediate: product(layer, .intermediate), output: product(layer, .output))
        }
        f32 = weights.withoutLargeMatrices()
    }
}

/// The arithmetic of a teacher's dense layers in classification. Everything else is always f32.
public enum TeacherPrecision: String, Sendable, CaseIterable {
    /// f32 throughout: the reference.
    case f32
    /// Weights and inputs rounded to bf16, sums in f32: twice as fast if the processor has AVX512-BF16, otherwise the
    /// same as f32.
    case bf16
    /// Weights rounded to 8 bits per output, inputs to 8 bits per token, integer sums; the same as f32 at the level
    /// "portable".
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
        case .i8: ByteKernels.best != nil
        }
    }
}
