import Models
import Tensors
import Text

/// Token vectors for a student from a teacher's hidden states: the mean state of each token over all its occurrences in
/// a corpus, reduced by PCA.
///
/// The states of a middle layer depend on a token's contexts, unlike its row in the input embedding; averaging them
/// gives a static vector (Bommasani et al. 2020, "Interpreting pretrained contextualized representations via reductions
/// to static embeddings").
public struct ContextualEmbeddings {
    /// Sum of the states of every token, (V, D).
    private let sums: Matrix
    private var counts: [Float]
    private let configuration: TeacherConfiguration
    private let layer: Int

    /// - Parameter layer: the number of encoder blocks whose output is averaged; 0 for only the embeddings.
    public init(_ configuration: TeacherConfiguration, layer: Int) {
        self.configuration = configuration
        self.layer = layer
        sums = Matrix(rows: configuration.vocabularySize, columns: configuration.hiddenSize)
        counts = Array(repeating: 0, count: configuration.vocabularySize)
    }

    /// Two thirds of the blocks: there a BERT's states are most informative about words (Tenney et al. 2019), and
    /// fine-tuning changes only later layers.
    public static func defaultLayer(_ configuration: TeacherConfiguration) -> Int {
        (configuration.layers * 2 + 1) / 3
    }

    /// Adds the states of every token of `tokens`, with one thread per encoder; false if `shouldStop` stopped it before
    /// the last.
    @discardableResult
    public mutating func add(
        _ tokens: TokenBatch, encoders: [TeacherEncoder], shouldStop: () -> Bool = { false },
        progress: (Int) -> Void = { _ in }
    ) -> Bool {
        let width = configuration.hiddenSize
        let chunk = 32
        let buffers = encoders.map { _ in StateBuffer() }
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
                let states = buffers[part].floats(0)
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
    public func write(to embedding: Matrix, deviation: Float) {
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

/// A growing array of floats written by one thread.
private final class StateBuffer {
    private var buffer = AlignedBuffer<Float>(zeros: 0)

    func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
        if buffer.count < count { buffer = AlignedBuffer(zeros: count) }
        return buffer.pointer
    }
}
