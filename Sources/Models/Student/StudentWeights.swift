import Tensors

/// All tensors of a student, or their gradients, or an optimiser's state: the same shapes throughout.
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
    /// The early exit's classifier, (buckets, C) and (1, C); no rows without one. It is trained by itself, so it is none
    /// of `tensors`.
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

    /// These tensors, and another early exit.
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

    /// The tensors that every line touches, in a fixed order.
    public var denseTensors: [Matrix] {
        [
            forward.input, forward.recurrent, forward.bias, backward.input, backward.recurrent, backward.bias, dense,
            denseBias, classifier, classifierBias,
        ]
    }

    /// All tensors: the dense ones, then the two tables of which a line touches a few rows.
    public var tensors: [Matrix] { denseTensors + [embedding, shortcut] }

    /// All tensors under the names that they have in `model.safetensors`, with the shapes stored there.
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

    /// Copies every value of `tensors` from `other`, which has the same shapes.
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
    /// Rounds every matrix to what storing it as `precision` would keep.
    public func round(to precision: String) {
        for (_, matrix, shape) in named where shape.count == 2 { Self.round(matrix, to: precision) }
    }

    /// Rounds one matrix so.
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
