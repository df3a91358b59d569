import Diagnostics
import Models
import Tensors
import Text

/// A BERT from whose token representations a student's embedding is initialised.
public struct EmbeddingSource {
    public let configuration: TeacherConfiguration
    public let weights: TeacherWeights
    public let tokenizer: LoadedTokenizer

    public init(configuration: TeacherConfiguration, weights: TeacherWeights, tokenizer: LoadedTokenizer) {
        self.configuration = configuration
        self.weights = weights
        self.tokenizer = tokenizer
    }

    /// Reads the directory of a teacher, or of a base without a classifier.
    public static func load(directory: String) throws(UnderstudyError) -> EmbeddingSource {
        try ModelDirectory.check(directory)
        let tokenizer = try TokenizerFiles.load(directory: directory)
        let configuration = try TeacherConfiguration(path: "\(directory)/\(ModelDirectory.configuration)")
        let file = try TeacherWeightsFile(
            path: "\(directory)/\(ModelDirectory.weights)", configuration: configuration, part: .base)
        guard tokenizer.vocabularySize <= configuration.vocabularySize else {
            throw UnderstudyError(
                .invalidData, "the tokenizer has more entries than the model has embeddings", at: directory)
        }
        return EmbeddingSource(configuration: configuration, weights: file.weights, tokenizer: tokenizer)
    }

    /// Fills `embedding` (V, E), whose tokens must be those of this BERT.
    ///
    /// Errors: `usage` if the shapes don't fit; `tryAgain` when stopped.
    func write(
        to embedding: Matrix, _ kind: StudentRecipe.Embeddings, lines: LineBatch, layer: Int?, deviation: Float,
        threads: Int, progress: ProgressMeter, shouldStop: () -> Bool
    ) throws(UnderstudyError) {
        guard embedding.rows <= configuration.vocabularySize, embedding.columns <= configuration.hiddenSize else {
            throw UnderstudyError(
                .usage,
                "embeddings of \(embedding.rows) tokens and \(embedding.columns) dimensions can't be taken from a BERT "
                    + "of \(configuration.vocabularySize) and \(configuration.hiddenSize)")
        }
        if kind == .matrix {
            let words = weights.wordEmbeddings
            let all = [Float](repeating: 1, count: words.rows)
            let projected = PrincipalComponents.project(words, weights: all, dimensions: embedding.columns)
            EmbeddingScale.copy(
                first(embedding.rows, of: projected), where: [Bool](repeating: true, count: embedding.rows),
                to: embedding, deviation: deviation)
            return
        }
        var tokens = TokenBatch()
        let scratch = TokenizerScratch()
        lines.forEachLine { _, line in
            tokens.append { ids in
                tokenizer.tokenizer.encode(
                    line, maximumLength: configuration.maximumLength, scratch: scratch, into: &ids)
            }
        }
        let layer = layer ?? ContextualEmbeddings.defaultLayer(configuration)
        guard (0...configuration.layers).contains(layer) else {
            throw UnderstudyError(.usage, "the teacher has \(configuration.layers) layers, there is no layer \(layer)")
        }
        var contextual = ContextualEmbeddings(configuration, layer: layer)
        let encoders = (0..<max(threads, 1)).map { _ in TeacherEncoder(configuration, weights) }
        progress.begin("embeddings", total: tokens.count)
        var done = 0
        let isWhole = contextual.add(tokens, encoders: encoders, shouldStop: shouldStop) { finished in
            progress.advance(by: finished - done)
            done = finished
        }
        progress.end()
        guard isWhole else { throw .trainingStopped("while embeddings were computed") }
        contextual.write(to: embedding, deviation: deviation)
    }

    private func first(_ rows: Int, of matrix: Matrix) -> Matrix {
        guard rows < matrix.rows else { return matrix }
        return Matrix(
            rows: rows, columns: matrix.columns, values: matrix.storage.array[..<(rows * matrix.columns)])
    }
}

/// Token vectors for a student from a teacher's hidden states: the mean state of each token over all its occurrences in
/// a corpus, reduced by PCA.
///
/// The states of a middle layer depend on a token's contexts, unlike its row in the input embedding; averaging them
/// gives a static vector (Bommasani et al. 2020, "Interpreting pretrained contextualized representations via reductions
/// to static embeddings").
struct ContextualEmbeddings {
    /// Sum of the states of every token, (V, D).
    private let sums: Matrix
    private var counts: [Float]
    private let configuration: TeacherConfiguration
    private let layer: Int

    /// - Parameter layer: the number of encoder blocks whose output is averaged; 0 for only the embeddings.
    init(_ configuration: TeacherConfiguration, layer: Int) {
        self.configuration = configuration
        self.layer = layer
        sums = Matrix(rows: configuration.vocabularySize, columns: configuration.hiddenSize)
        counts = Array(repeating: 0, count: configuration.vocabularySize)
    }

    /// Two thirds of the blocks: there a BERT's states are most informative about words (Tenney et al. 2019), and
    /// fine-tuning changes only later layers.
    static func defaultLayer(_ configuration: TeacherConfiguration) -> Int {
        (configuration.layers * 2 + 1) / 3
    }

    /// Adds the states of every token of `tokens`, with one thread per encoder; false if `shouldStop` stopped it before
    /// the last.
    @discardableResult
    mutating func add(
        _ tokens: TokenBatch, encoders: [TeacherEncoder], shouldStop: () -> Bool = { false },
        progress: (Int) -> Void = { _ in }
    ) -> Bool {
        let width = configuration.hiddenSize
        let chunk = 32
        let buffers = encoders.map { _ in Scratch() }
        var first = 0
        while first < tokens.count {
            if shouldStop() { return false }
            let chunks = encoders.indices.map { index in
                let start = min(first + index * chunk, tokens.count)
                return start..<min(start + chunk, tokens.count)
            }
            Parallel.run(encoders.count) { part in
                let lines = chunks[part]
                guard !lines.isEmpty else { return }
                let count = Int(tokens.offsets[lines.upperBound] - tokens.offsets[lines.lowerBound])
                encoders[part].states(tokens, lines: lines, after: layer, into: buffers[part].floats(count * width))
            }
            for (part, lines) in chunks.enumerated() where !lines.isEmpty {
                let base = Int(tokens.offsets[lines.lowerBound])
                let states = buffers[part].pointer
                for index in base..<Int(tokens.offsets[lines.upperBound]) {
                    let id = Int(tokens.ids[index])
                    let sum = sums.row(id)
                    let state = states + (index - base) * width
                    for column in 0..<width { sum[column] += state[column] }
                    counts[id] += 1
                }
            }
            first = chunks[chunks.count - 1].upperBound
            progress(first)
        }
        return true
    }

    /// Writes one row per token to `embedding` (V, E), E at most D: principal components of the mean states of all
    /// tokens that occurred, scaled to `deviation`. Tokens that never occurred keep their row.
    func write(to embedding: Matrix, deviation: Float) {
        let means = Matrix(rows: sums.rows, columns: sums.columns)
        withExtendedLifetime(means) {
            for row in 0..<sums.rows where counts[row] > 0 {
                for column in 0..<sums.columns { means.row(row)[column] = sums.row(row)[column] / counts[row] }
            }
        }
        let projected = PrincipalComponents.project(
            means, weights: counts.map { $0 > 0 ? 1 : 0 }, dimensions: embedding.columns)
        EmbeddingScale.copy(projected, where: counts.map { $0 > 0 }, to: embedding, deviation: deviation)
    }
}

/// Scales pretrained vectors to the size at which a student trains well.
enum EmbeddingScale {
    /// Copies the rows of `vectors` selected by `isGiven` to `embedding`, all scaled by one factor so that their values
    /// have the standard deviation `deviation` (which matters: with 0.1, students are about a point worse than with
    /// 0.3).
    static func copy(_ vectors: Matrix, where isGiven: [Bool], to embedding: Matrix, deviation: Float) {
        precondition(vectors.rows == embedding.rows && vectors.columns == embedding.columns)
        var sum = 0.0
        var squares = 0.0
        var count = 0.0
        withExtendedLifetime((vectors, embedding)) {
            for row in 0..<vectors.rows where isGiven[row] {
                for column in 0..<vectors.columns {
                    let value = Double(vectors.row(row)[column])
                    sum += value
                    squares += value * value
                    count += 1
                }
            }
            guard count > 0 else { return }
            let variance = squares / count - (sum / count) * (sum / count)
            let scale = variance > 0 ? deviation / Float(variance.squareRoot()) : 1
            for row in 0..<vectors.rows where isGiven[row] {
                for column in 0..<vectors.columns { embedding.row(row)[column] = vectors.row(row)[column] * scale }
            }
        }
    }
}
