import Tensors

/// All tensors of a student, or their gradients, or an optimiser's state; all with the same shapes.
public struct StudentWeights: Sendable {
    /// One direction's LSTM; gate order i, f, g, o and layouts as in PyTorch's `nn.LSTM` (its two biases summed).
    public struct Direction: Sendable {
        /// W_x, (4H, E).
        public let input: Matrix
        /// W_h, (4H, H).
        public let recurrent: Matrix
        /// (1, 4H).
        public let bias: Matrix

        init(embedding: Int, hidden: Int) {
            self.init(
                input: Matrix(rows: 4 * hidden, columns: embedding),
                recurrent: Matrix(rows: 4 * hidden, columns: hidden),
                bias: Matrix(rows: 1, columns: 4 * hidden))
        }

        init(input: Matrix, recurrent: Matrix, bias: Matrix) {
            self.input = input
            self.recurrent = recurrent
            self.bias = bias
        }
    }

    /// (V, E).
    public let embedding: Matrix
    public let forward: Direction
    public let backward: Direction
    /// (D, P) with P = 2H · poolings.
    public let dense: Matrix
    /// (1, D).
    public let denseBias: Matrix
    /// (C, D).
    public let classifier: Matrix
    /// (1, C).
    public let classifierBias: Matrix
    /// (buckets, C); no rows without a shortcut.
    public let shortcut: Matrix
    /// The early exit's classifier, (buckets, C) and (1, C); no rows without one. It is trained separately, so it isn't
    /// one of `tensors`.
    public let exit: Matrix
    public let exitBias: Matrix

    /// All zeros in the shapes of `configuration`.
    public init(zeros configuration: StudentConfiguration) {
        let labels = configuration.labels.count
        embedding = Matrix(rows: configuration.vocabularySize, columns: configuration.embeddingSize)
        forward = Direction(embedding: configuration.embeddingSize, hidden: configuration.hiddenSize)
        backward = Direction(embedding: configuration.embeddingSize, hidden: configuration.hiddenSize)
        dense = Matrix(rows: configuration.denseSize, columns: configuration.pooledSize)
        denseBias = Matrix(rows: 1, columns: configuration.denseSize)
        classifier = Matrix(rows: labels, columns: configuration.denseSize)
        classifierBias = Matrix(rows: 1, columns: labels)
        shortcut = Matrix(rows: configuration.shortcutBuckets, columns: labels)
        exit = Matrix(rows: configuration.earlyExit == nil ? 0 : configuration.shortcutBuckets, columns: labels)
        exitBias = Matrix(rows: configuration.earlyExit == nil ? 0 : 1, columns: labels)
    }

    /// The tensors of `other` with another early exit.
    public init(_ other: StudentWeights, exit: Matrix, exitBias: Matrix) {
        embedding = other.embedding
        forward = other.forward
        backward = other.backward
        dense = other.dense
        denseBias = other.denseBias
        classifier = other.classifier
        classifierBias = other.classifierBias
        shortcut = other.shortcut
        self.exit = exit
        self.exitBias = exitBias
    }

    /// The tensors that every line uses, in a fixed order.
    public var denseTensors: [Matrix] {
        [
            forward.input, forward.recurrent, forward.bias, backward.input, backward.recurrent, backward.bias, dense,
            denseBias, classifier, classifierBias,
        ]
    }

    /// All tensors: the dense ones, then the two tables of which a line uses a few rows.
    public var tensors: [Matrix] { denseTensors + [embedding, shortcut] }

    /// All tensors by their names in `model.safetensors`, with the shapes stored there.
    public var named: [(name: String, matrix: Matrix, shape: [Int])] {
        var all: [(name: String, matrix: Matrix, shape: [Int])] = []
        func add(_ name: String, _ matrix: Matrix, vector: Bool = false) {
            all.append((name, matrix, vector ? [matrix.columns] : [matrix.rows, matrix.columns]))
        }
        add("embedding.weight", embedding)
        for (name, direction) in [("forward", forward), ("backward", backward)] {
            add("lstm.\(name).weight_ih", direction.input)
            add("lstm.\(name).weight_hh", direction.recurrent)
            add("lstm.\(name).bias", direction.bias, vector: true)
        }
        add("dense.weight", dense)
        add("dense.bias", denseBias, vector: true)
        add("classifier.weight", classifier)
        add("classifier.bias", classifierBias, vector: true)
        if shortcut.rows > 0 { add("shortcut.weight", shortcut) }
        if exit.rows > 0 {
            add("exit.weight", exit)
            add("exit.bias", exitBias, vector: true)
        }
        return all
    }

    /// Copies every value of `tensors` from `other`, which must have the same shapes.
    public func copyValues(from other: StudentWeights) {
        for (mine, theirs) in zip(tensors, other.tensors) {
            precondition(mine.count == theirs.count, "weights of different shapes")
            mine.pointer.update(from: theirs.pointer, count: theirs.count)
        }
    }

    /// Number of trained values.
    public var parameterCount: Int { tensors.reduce(exit.count + exitBias.count) { $0 + $1.count } }
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
        func uniform(_ matrix: Matrix, fan: Int) {
            let bound = 1 / Float(fan).squareRoot()
            for index in 0..<matrix.count { matrix.pointer[index] = (2 * generator.uniform() - 1) * bound }
        }
        for index in 0..<embedding.count { embedding.pointer[index] = generator.normal() * embeddingDeviation }
        for direction in [forward, backward] {
            switch lstm {
            case .glorot:
                let bound = (6 / Float(configuration.embeddingSize + 4 * configuration.hiddenSize)).squareRoot()
                for index in 0..<direction.input.count {
                    direction.input.pointer[index] = (2 * generator.uniform() - 1) * bound
                }
                uniform(direction.recurrent, fan: configuration.hiddenSize)
                direction.bias.fill(0)
                let units = configuration.hiddenSize
                (direction.bias.pointer + units).update(repeating: 1, count: units)
            case .pytorch:
                uniform(direction.input, fan: configuration.hiddenSize)
                uniform(direction.recurrent, fan: configuration.hiddenSize)
                uniform(direction.bias, fan: configuration.hiddenSize)
                let first = direction.bias.copy()
                uniform(direction.bias, fan: configuration.hiddenSize)
                withExtendedLifetime(first) {
                    for index in 0..<first.count { direction.bias.pointer[index] += first.pointer[index] }
                }
            }
        }
        uniform(dense, fan: configuration.pooledSize)
        uniform(denseBias, fan: configuration.pooledSize)
        uniform(classifier, fan: configuration.denseSize)
        uniform(classifierBias, fan: configuration.denseSize)
        shortcut.fill(0)
    }
}
