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
                "embeddings of \(embedding.rows) tokens and \(embedding.columns) dimensions can't be made from a BERT "
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
        guard isWhole else { throw .trainingStopped("while embeddings were made") }
        contextual.write(to: embedding, deviation: deviation)
    }

    private func first(_ rows: Int, of matrix: Matrix) -> Matrix {
        guard rows < matrix.rows else { return matrix }
        return Matrix(
            rows: rows, columns: matrix.columns, values: matrix.storage.array[..<(rows * matrix.columns)])
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
