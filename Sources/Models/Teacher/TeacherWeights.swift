import Diagnostics
import Tensors

/// The matrices of a BERT classifier: the only list of their names, shapes and parts.
///
/// Source of the architecture: Devlin et al. 2019, "BERT"; names and layout are those of Hugging Face Transformers. A
/// dense layer's matrix is (outputs, inputs), as in PyTorch.
public enum TeacherMatrix: Hashable, Sendable {
    case outer(Outer)
    /// Of the encoder block of this number.
    case block(Int, Block)

    /// Those outside the encoder blocks.
    public enum Outer: Int, CaseIterable, Sendable {
        case wordEmbeddings, positionEmbeddings, typeEmbeddings, embeddingNormGain, embeddingNormShift
        /// Used if the configuration pools by the first token.
        case pooler, poolerBias
        case classifier, classifierBias

        var name: String {
            switch self {
            case .wordEmbeddings: "bert.embeddings.word_embeddings.weight"
            case .positionEmbeddings: "bert.embeddings.position_embeddings.weight"
            case .typeEmbeddings: "bert.embeddings.token_type_embeddings.weight"
            case .embeddingNormGain: "bert.embeddings.LayerNorm.weight"
            case .embeddingNormShift: "bert.embeddings.LayerNorm.bias"
            case .pooler: "bert.pooler.dense.weight"
            case .poolerBias: "bert.pooler.dense.bias"
            case .classifier: "classifier.weight"
            case .classifierBias: "classifier.bias"
            }
        }

        func shape(_ configuration: TeacherConfiguration) -> [Int] {
            let hidden = configuration.hiddenSize
            let pooled = configuration.pooling == .cls ? hidden : 0
            switch self {
            case .wordEmbeddings: return [configuration.vocabularySize, hidden]
            case .positionEmbeddings: return [configuration.maximumLength, hidden]
            case .typeEmbeddings: return [configuration.typeVocabularySize, hidden]
            case .embeddingNormGain, .embeddingNormShift: return [hidden]
            case .pooler: return [pooled, hidden]
            case .poolerBias: return [pooled]
            case .classifier: return [configuration.labels.count, hidden]
            case .classifierBias: return [configuration.labels.count]
            }
        }
    }

    /// Those of an encoder block.
    public enum Block: Int, CaseIterable, Sendable {
        /// Query, key and value stacked: one product computes all three. They are separate tensors in the file.
        case queryKeyValue, queryKeyValueBias
        case attentionOutput, attentionOutputBias, attentionNormGain, attentionNormShift
        case intermediate, intermediateBias
        case output, outputBias, outputNormGain, outputNormShift

        /// The names of its tensors, without the block's prefix.
        var names: [String] {
            switch self {
            case .queryKeyValue: ["query", "key", "value"].map { "attention.self.\($0).weight" }
            case .queryKeyValueBias: ["query", "key", "value"].map { "attention.self.\($0).bias" }
            case .attentionOutput: ["attention.output.dense.weight"]
            case .attentionOutputBias: ["attention.output.dense.bias"]
            case .attentionNormGain: ["attention.output.LayerNorm.weight"]
            case .attentionNormShift: ["attention.output.LayerNorm.bias"]
            case .intermediate: ["intermediate.dense.weight"]
            case .intermediateBias: ["intermediate.dense.bias"]
            case .output: ["output.dense.weight"]
            case .outputBias: ["output.dense.bias"]
            case .outputNormGain: ["output.LayerNorm.weight"]
            case .outputNormShift: ["output.LayerNorm.bias"]
            }
        }

        /// The shape of each of its tensors.
        func shape(_ configuration: TeacherConfiguration) -> [Int] {
            let hidden = configuration.hiddenSize
            let wide = configuration.intermediateSize
            switch self {
            case .queryKeyValue, .attentionOutput: return [hidden, hidden]
            case .intermediate: return [wide, hidden]
            case .intermediateBias: return [wide]
            case .output: return [hidden, wide]
            default: return [hidden]
            }
        }
    }

    public enum Part: Sendable, Equatable {
        case embeddings
        case block(Int)
        case pooler
        case classifier

        public var isHead: Bool { self == .pooler || self == .classifier }
    }

    public var part: Part {
        switch self {
        case .block(let number, _): .block(number)
        case .outer(.pooler), .outer(.poolerBias): .pooler
        case .outer(.classifier), .outer(.classifierBias): .classifier
        case .outer: .embeddings
        }
    }

    /// Whether it may stay i8 in memory: the word embeddings and the blocks' matrices.
    var isLarge: Bool {
        switch self {
        case .outer(let matrix): matrix == .wordEmbeddings
        case .block(_, let matrix): [.queryKeyValue, .attentionOutput, .intermediate, .output].contains(matrix)
        }
    }

    /// All zeros, with all its tensors stacked.
    fileprivate func zeros(_ configuration: TeacherConfiguration) -> Matrix {
        let (shape, count) =
            switch self {
            case .outer(let matrix): (matrix.shape(configuration), 1)
            case .block(_, let matrix): (matrix.shape(configuration), matrix.names.count)
            }
        return shape.count == 1
            ? Matrix(rows: 1, columns: count * shape[0]) : Matrix(rows: count * shape[0], columns: shape[1])
    }
}

/// A tensor of a teacher's file: a whole matrix, or one of those that are stacked in it.
public struct TeacherTensorForm: Sendable {
    /// The name in a `BertForSequenceClassification` file, such as `bert.encoder.layer.0.output.dense.weight`.
    public let name: String
    /// The shape in the file: one number for biases and LayerNorms, two for the rest.
    public let shape: [Int]
    public let matrix: TeacherMatrix
    /// The number of tensors before it in the matrix.
    fileprivate let place: Int

    public var count: Int { shape.reduce(1, *) }
}

extension TeacherConfiguration {
    /// Every tensor of `model.safetensors`, in the order of the forward pass. Those of a missing pooler are left out.
    public var tensorForms: [TeacherTensorForm] {
        func outer(_ matrix: TeacherMatrix.Outer) -> TeacherTensorForm {
            TeacherTensorForm(name: matrix.name, shape: matrix.shape(self), matrix: .outer(matrix), place: 0)
        }
        func block(_ number: Int, _ matrix: TeacherMatrix.Block, _ place: Int) -> TeacherTensorForm {
            TeacherTensorForm(
                name: "bert.encoder.layer.\(number).\(matrix.names[place])", shape: matrix.shape(self),
                matrix: .block(number, matrix), place: place)
        }
        let all = TeacherMatrix.Outer.allCases.filter { pooling == .cls || $0 != .pooler && $0 != .poolerBias }
        let blocks = (0..<layers).flatMap { number in
            (0..<3).flatMap { [block(number, .queryKeyValue, $0), block(number, .queryKeyValueBias, $0)] }
                + TeacherMatrix.Block.allCases.dropFirst(2).map { block(number, $0, 0) }
        }
        return all.filter { TeacherMatrix.outer($0).part == .embeddings }.map(outer) + blocks
            + all.filter { TeacherMatrix.outer($0).part.isHead }.map(outer)
    }
}

/// All weights of a BERT classifier, as f32.
public struct TeacherWeights: Sendable {
    /// By `TeacherMatrix.Outer`.
    private let outer: [Matrix]
    public let layers: [TeacherLayerWeights]
    private let forms: [TeacherTensorForm]

    /// All zeros, with the shapes of `configuration`.
    public init(zeros configuration: TeacherConfiguration) {
        self.init(configuration.tensorForms, layers: configuration.layers) { $0.zeros(configuration) }
    }

    private init(_ forms: [TeacherTensorForm], layers: Int, _ matrix: (TeacherMatrix) -> Matrix) {
        self.forms = forms
        outer = TeacherMatrix.Outer.allCases.map { matrix(.outer($0)) }
        self.layers = (0..<layers).map { number in
            TeacherLayerWeights(matrices: TeacherMatrix.Block.allCases.map { matrix(.block(number, $0)) })
        }
    }

    /// The same without the large matrices, which are empty.
    func withoutLargeMatrices() -> TeacherWeights {
        TeacherWeights([], layers: layers.count) { $0.isLarge ? Matrix(rows: 0, columns: 0) : self[$0] }
    }

    public subscript(_ matrix: TeacherMatrix) -> Matrix {
        switch matrix {
        case .outer(let matrix): outer[matrix.rawValue]
        case .block(let number, let matrix): layers[number][matrix]
        }
    }

    public var wordEmbeddings: Matrix { self[.outer(.wordEmbeddings)] }
    public var positionEmbeddings: Matrix { self[.outer(.positionEmbeddings)] }
    public var typeEmbeddings: Matrix { self[.outer(.typeEmbeddings)] }
    public var embeddingNormGain: Matrix { self[.outer(.embeddingNormGain)] }
    public var embeddingNormShift: Matrix { self[.outer(.embeddingNormShift)] }
    public var pooler: Matrix { self[.outer(.pooler)] }
    public var poolerBias: Matrix { self[.outer(.poolerBias)] }
    public var classifier: Matrix { self[.outer(.classifier)] }
    public var classifierBias: Matrix { self[.outer(.classifierBias)] }

    /// Every tensor under its Hugging Face name, in the order of the forward pass.
    public var tensors: [TeacherTensor] { forms.map { TeacherTensor($0, self[$0.matrix]) } }

    /// Those of pooler and classifier.
    public var headTensors: [TeacherTensor] { tensors.filter { $0.form.matrix.part.isHead } }
}

/// The weights of one encoder block.
public struct TeacherLayerWeights: Sendable {
    /// By `TeacherMatrix.Block`.
    fileprivate let matrices: [Matrix]

    public subscript(_ matrix: TeacherMatrix.Block) -> Matrix { matrices[matrix.rawValue] }

    public var queryKeyValue: Matrix { self[.queryKeyValue] }
    public var queryKeyValueBias: Matrix { self[.queryKeyValueBias] }
    public var attentionOutput: Matrix { self[.attentionOutput] }
    public var attentionOutputBias: Matrix { self[.attentionOutputBias] }
    public var attentionNormGain: Matrix { self[.attentionNormGain] }
    public var attentionNormShift: Matrix { self[.attentionNormShift] }
    public var intermediate: Matrix { self[.intermediate] }
    public var intermediateBias: Matrix { self[.intermediateBias] }
    public var output: Matrix { self[.output] }
    public var outputBias: Matrix { self[.outputBias] }
    public var outputNormGain: Matrix { self[.outputNormGain] }
    public var outputNormShift: Matrix { self[.outputNormShift] }
}

/// A tensor of a teacher's file, and the matrix with its elements.
public struct TeacherTensor: Sendable {
    public let form: TeacherTensorForm
    /// The matrix that holds the elements.
    public let matrix: Matrix

    public init(_ form: TeacherTensorForm, _ matrix: Matrix) {
        precondition((form.place + 1) * form.count <= matrix.count)
        self.form = form
        self.matrix = matrix
    }

    public var name: String { form.name }
    public var shape: [Int] { form.shape }
    public var count: Int { form.count }

    public var pointer: UnsafeMutablePointer<Float> { matrix.pointer + form.place * form.count }

    /// A copy of the elements, (1, n) or (rows, columns).
    public var contents: Matrix {
        Matrix(
            rows: shape.count == 1 ? 1 : shape[0], columns: shape[shape.count - 1],
            values: UnsafeBufferPointer(start: pointer, count: count))
    }
}
