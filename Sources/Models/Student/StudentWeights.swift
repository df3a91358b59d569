import Diagnostics
import Tensors

/// The tensors of a student in the order of `model.safetensors`: the only list of their names, sizes and parts.
public enum StudentTensor: Int, CaseIterable, Sendable {
    case embedding
    /// One direction's LSTM: W_x, W_h and the bias; gate order i, f, g, o and layouts as in PyTorch's `nn.LSTM` (its two
    /// biases summed).
    case forwardInput, forwardRecurrent, forwardBias
    case backwardInput, backwardRecurrent, backwardBias
    case dense, denseBias
    case classifier, classifierBias
    case shortcut
    /// The early exit's classifier.
    case exit, exitBias

    /// How a tensor is trained.
    public enum Part: Sendable {
        /// At every step.
        case dense
        /// By rows, of which a line uses a few.
        case table
        /// Separately (`ExitTrainer`).
        case exit
    }

    public static let denseTensors = allCases.filter { $0.part == .dense }

    public var part: Part {
        switch self {
        case .embedding, .shortcut: .table
        case .exit, .exitBias: .exit
        default: .dense
        }
    }

    public var name: String {
        switch self {
        case .embedding: "embedding.weight"
        case .forwardInput: "lstm.forward.weight_ih"
        case .forwardRecurrent: "lstm.forward.weight_hh"
        case .forwardBias: "lstm.forward.bias"
        case .backwardInput: "lstm.backward.weight_ih"
        case .backwardRecurrent: "lstm.backward.weight_hh"
        case .backwardBias: "lstm.backward.bias"
        case .dense: "dense.weight"
        case .denseBias: "dense.bias"
        case .classifier: "classifier.weight"
        case .classifierBias: "classifier.bias"
        case .shortcut: "shortcut.weight"
        case .exit: "exit.weight"
        case .exitBias: "exit.bias"
        }
    }

    /// A vector is a matrix of one row here, and has one dimension in the file.
    var isVector: Bool { name.hasSuffix(".bias") }

    /// The size of the matrix: no rows if a student of this configuration doesn't have the tensor.
    func size(_ configuration: StudentConfiguration) -> (rows: Int, columns: Int) {
        let gates = 4 * configuration.hiddenSize
        let labels = configuration.labels.count
        switch self {
        case .embedding: return (configuration.vocabularySize, configuration.embeddingSize)
        case .forwardInput, .backwardInput: return (gates, configuration.embeddingSize)
        case .forwardRecurrent, .backwardRecurrent: return (gates, configuration.hiddenSize)
        case .forwardBias, .backwardBias: return (1, gates)
        case .dense: return (configuration.denseSize, configuration.pooledSize)
        case .denseBias: return (1, configuration.denseSize)
        case .classifier: return (labels, configuration.denseSize)
        case .classifierBias: return (1, labels)
        case .shortcut: return (configuration.shortcutBuckets, labels)
        case .exit: return (configuration.earlyExit == nil ? 0 : configuration.shortcutBuckets, labels)
        case .exitBias: return (configuration.earlyExit == nil ? 0 : 1, labels)
        }
    }

    fileprivate func stored(rows: Int, columns: Int) -> [Int] { isVector ? [columns] : [rows, columns] }
}

extension StudentConfiguration {
    /// The tensors of `model.safetensors` with the shapes stored there.
    public var tensorShapes: [(name: String, shape: [Int])] {
        StudentTensor.allCases.compactMap { tensor in
            let (rows, columns) = tensor.size(self)
            return rows > 0 ? (tensor.name, tensor.stored(rows: rows, columns: columns)) : nil
        }
    }
}

/// All tensors of a student, or their gradients, or an optimiser's state; all with the same shapes.
public struct StudentWeights: Sendable {
    /// One direction's LSTM.
    public struct Direction: Sendable {
        public let input: Matrix
        public let recurrent: Matrix
        public let bias: Matrix
    }

    /// By `StudentTensor`.
    private let matrices: [Matrix]

    init(_ matrix: (StudentTensor) throws(UnderstudyError) -> Matrix) throws(UnderstudyError) {
        matrices = try StudentTensor.allCases.map(matrix)
    }

    /// All zeros in the sizes of `configuration`; without `tables`, the tables have no rows.
    public init(zeros configuration: StudentConfiguration, tables: Bool = true) {
        matrices = StudentTensor.allCases.map { tensor in
            let (rows, columns) = tensor.size(configuration)
            return Matrix(rows: tables || tensor.part == .dense ? rows : 0, columns: columns)
        }
    }

    /// The tensors of `other` with another early exit.
    public init(_ other: StudentWeights, exit: Matrix, exitBias: Matrix) {
        var matrices = other.matrices
        matrices[StudentTensor.exit.rawValue] = exit
        matrices[StudentTensor.exitBias.rawValue] = exitBias
        self.matrices = matrices
    }

    public subscript(_ tensor: StudentTensor) -> Matrix { matrices[tensor.rawValue] }

    public var embedding: Matrix { self[.embedding] }
    public var forward: Direction {
        Direction(input: self[.forwardInput], recurrent: self[.forwardRecurrent], bias: self[.forwardBias])
    }
    public var backward: Direction {
        Direction(input: self[.backwardInput], recurrent: self[.backwardRecurrent], bias: self[.backwardBias])
    }
    public var dense: Matrix { self[.dense] }
    public var denseBias: Matrix { self[.denseBias] }
    public var classifier: Matrix { self[.classifier] }
    public var classifierBias: Matrix { self[.classifierBias] }
    public var shortcut: Matrix { self[.shortcut] }
    public var exit: Matrix { self[.exit] }
    public var exitBias: Matrix { self[.exitBias] }

    /// All tensors but the early exit's.
    public var tensors: [Matrix] { StudentTensor.allCases.filter { $0.part != .exit }.map { self[$0] } }

    /// All tensors by their names in `model.safetensors`, with the shapes stored there.
    public var named: [(name: String, matrix: Matrix, shape: [Int])] {
        StudentTensor.allCases.compactMap { tensor in
            let matrix = self[tensor]
            guard matrix.rows > 0 else { return nil }
            return (tensor.name, matrix, tensor.stored(rows: matrix.rows, columns: matrix.columns))
        }
    }

    /// Copies every value of `tensors` from `other`, which must have the same shapes.
    public func copyValues(from other: StudentWeights) {
        for (mine, theirs) in zip(tensors, other.tensors) {
            precondition(mine.count == theirs.count, "weights of different shapes")
            mine.pointer.update(from: theirs.pointer, count: theirs.count)
        }
    }

    /// Number of trained values.
    public var parameterCount: Int { matrices.reduce(0) { $0 + $1.count } }
}

extension StudentWeights {
    /// Rounds every matrix to the values that storing it as `precision` would keep.
    public func round(to precision: String) {
        for (_, matrix, shape) in named where shape.count == 2 { Self.round(matrix, to: precision) }
    }

    /// Rounds one matrix in the same way.
    public static func round(_ matrix: Matrix, to precision: String) {
        for index in 0..<matrix.count {
            switch precision {
            case "f16":
                matrix.pointer[index] = HalfPrecision.single(fromF16: HalfPrecision.f16(matrix.pointer[index]))
            case "bf16":
                matrix.pointer[index] = HalfPrecision.single(fromBF16: HalfPrecision.bf16(matrix.pointer[index]))
            default: return
            }
        }
    }
}

/// The initialisation of a student's LSTM.
public enum LSTMInitialization: String, Sendable, CaseIterable {
    /// W_x uniform in ±√(6 / (E + 4H)) (Glorot & Bengio 2010), W_h in ±1/√H, biases zero except 1 for the forget gate,
    /// so that the cells keep their state from the start (Jozefowicz et al. 2015).
    case glorot
    /// Everything uniform in ±1/√H, as PyTorch's `nn.LSTM` does; PyTorch draws two biases and adds them.
    case pytorch
}

extension StudentWeights {
    /// Sets random initial weights.
    ///
    /// Dense and classifier: uniform in ±1/√fan, as PyTorch's `nn.Linear` does. Embedding: normal with deviation
    /// `embeddingDeviation` (rows may be overwritten from pretrained vectors). Shortcut: zeros, so that it has no
    /// effect at first.
    public func randomize(
        _ configuration: StudentConfiguration, using generator: inout SeededGenerator, embeddingDeviation: Float,
        lstm: LSTMInitialization = .glorot
    ) {
        let units = configuration.hiddenSize
        for tensor in StudentTensor.allCases {
            let matrix = self[tensor]
            func uniform(_ bound: Float) {
                for index in 0..<matrix.count { matrix.pointer[index] = (2 * generator.uniform() - 1) * bound }
            }
            func uniform(fan: Int) { uniform(1 / Float(fan).squareRoot()) }
            switch tensor {
            case .embedding:
                for index in 0..<matrix.count { matrix.pointer[index] = generator.normal() * embeddingDeviation }
            case .forwardInput where lstm == .glorot, .backwardInput where lstm == .glorot:
                uniform((6 / Float(configuration.embeddingSize + 4 * units)).squareRoot())
            case .forwardBias, .backwardBias:
                guard lstm == .pytorch else {
                    matrix.fill(0)
                    (matrix.pointer + units).update(repeating: 1, count: units)
                    continue
                }
                uniform(fan: units)
                let first = matrix.storage.array
                uniform(fan: units)
                for (index, value) in first.enumerated() { matrix.pointer[index] += value }
            case .forwardInput, .backwardInput, .forwardRecurrent, .backwardRecurrent: uniform(fan: units)
            case .dense, .denseBias: uniform(fan: configuration.pooledSize)
            case .classifier, .classifierBias: uniform(fan: configuration.denseSize)
            case .shortcut: matrix.fill(0)
            case .exit, .exitBias: break
            }
        }
    }
}

/// A student's weights for the fast path: the large tables as stored, the rest in f32.
struct StudentServingWeights: Sendable {
    let embedding: StoredMatrix
    let shortcut: StoredMatrix
    let exit: StoredMatrix
    /// The other tensors.
    let f32: StudentWeights

    /// Shares the matrices of `weights`, which must not change while this is in use.
    init(_ weights: StudentWeights) {
        embedding = .single(weights.embedding)
        shortcut = .single(weights.shortcut)
        exit = .single(weights.exit)
        f32 = weights
    }

    /// Reads a student's `model.safetensors`.
    init(path: String, _ configuration: StudentConfiguration) throws(UnderstudyError) {
        let file = try SafetensorsFile(path: path)
        func table(_ tensor: StudentTensor) throws(UnderstudyError) -> StoredMatrix {
            let (rows, columns) = tensor.size(configuration)
            guard rows > 0 else { return .single(Matrix(rows: 0, columns: columns)) }
            return try file.stored(tensor.name, rows: rows, columns: columns)
        }
        embedding = try table(.embedding)
        f32 = try StudentWeights { (tensor) throws(UnderstudyError) in
            if [.embedding, .shortcut, .exit].contains(tensor) { return Matrix(rows: 0, columns: 0) }
            return try file.matrix(tensor, of: configuration)
        }
        shortcut = try table(.shortcut)
        exit = try table(.exit)
    }
}

extension SafetensorsFile {
    /// A student's tensor as f32; no rows if it doesn't have it.
    func matrix(_ tensor: StudentTensor, of configuration: StudentConfiguration) throws(UnderstudyError) -> Matrix {
        let (rows, columns) = tensor.size(configuration)
        guard rows > 0 else { return Matrix(rows: 0, columns: columns) }
        return tensor.isVector
            ? try vector(tensor.name, count: columns) : try matrix(tensor.name, rows: rows, columns: columns)
    }
}
