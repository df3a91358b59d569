import Diagnostics
import Tensors

/// A student's weights for the fast path: the two large tables as stored, the rest in f32.
struct StudentServingWeights: Sendable {
    /// (V, E).
    let embedding: StoredMatrix
    let forward: StudentWeights.Direction
    let backward: StudentWeights.Direction
    /// (D, P), (1, D), (C, D) and (1, C).
    let dense: Matrix
    let denseBias: Matrix
    let classifier: Matrix
    let classifierBias: Matrix
    /// (buckets, C); no rows without a shortcut.
    let shortcut: StoredMatrix
    /// The early exit's, (buckets, C) and (1, C); no rows without one.
    let exit: StoredMatrix
    let exitBias: Matrix

    /// Shares the matrices of `weights`, which must not change while this is in use.
    init(_ weights: StudentWeights) {
        embedding = .single(weights.embedding)
        forward = weights.forward
        backward = weights.backward
        dense = weights.dense
        denseBias = weights.denseBias
        classifier = weights.classifier
        classifierBias = weights.classifierBias
        shortcut = .single(weights.shortcut)
        exit = .single(weights.exit)
        exitBias = weights.exitBias
    }

    /// Reads a student's `model.safetensors`.
    init(path: String, _ configuration: StudentConfiguration) throws(UnderstudyError) {
        let file = try SafetensorsFile(path: path)
        let (hidden, labels) = (configuration.hiddenSize, configuration.labels.count)
        embedding = try file.stored(
            "embedding.weight", rows: configuration.vocabularySize, columns: configuration.embeddingSize)
        func direction(_ name: String) throws(UnderstudyError) -> StudentWeights.Direction {
            StudentWeights.Direction(
                input: try file.matrix(
                    "lstm.\(name).weight_ih", rows: 4 * hidden, columns: configuration.embeddingSize),
                recurrent: try file.matrix("lstm.\(name).weight_hh", rows: 4 * hidden, columns: hidden),
                bias: try file.vector("lstm.\(name).bias", count: 4 * hidden))
        }
        forward = try direction("forward")
        backward = try direction("backward")
        dense = try file.matrix(
            "dense.weight", rows: configuration.denseSize, columns: configuration.pooledSize)
        denseBias = try file.vector("dense.bias", count: configuration.denseSize)
        classifier = try file.matrix("classifier.weight", rows: labels, columns: configuration.denseSize)
        classifierBias = try file.vector("classifier.bias", count: labels)
        shortcut =
            configuration.shortcutBuckets > 0
            ? try file.stored("shortcut.weight", rows: configuration.shortcutBuckets, columns: labels)
            : .single(Matrix(rows: 0, columns: labels))
        if configuration.earlyExit != nil {
            exit = try file.stored("exit.weight", rows: configuration.shortcutBuckets, columns: labels)
            exitBias = try file.vector("exit.bias", count: labels)
        } else {
            exit = .single(Matrix(rows: 0, columns: labels))
            exitBias = Matrix(rows: 0, columns: labels)
        }
    }
}
