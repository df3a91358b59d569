import Dispatch
import Models
import Tensors
import Text

/// The hidden states of a set's lines after the frozen blocks, computed once and read in every epoch.
struct TeacherStates: Sendable {
    /// The number of blocks that the states have passed; 0 means the normalised embeddings.
    let layers: Int
    private let width: Int
    private let offsets: [Int32]
    private let states: AlignedBuffer<Float>

    /// The states of every line of `tokens`. `progress` is called with the number of finished lines; nil if
    /// `isCancelled` returns true.
    init?(
        _ tokens: TokenBatch, configuration: TeacherConfiguration, weights: TeacherWeights, layers: Int, threads: Int,
        precision: TeacherPrecision, isCancelled: () -> Bool, progress: (Int) -> Void
    ) {
        self.layers = layers
        let width = configuration.hiddenSize
        self.width = width
        offsets = tokens.offsets
        let states = AlignedBuffer<Float>(zeros: tokens.ids.count * width)
        self.states = states
        let encoders = TeacherEncoder.frozen(threads, configuration, weights, precision: precision)
        // One chunk per thread at a time, so that progress and cancellation are handled in between.
        var next = 0
        while next < tokens.count {
            if isCancelled() { return nil }
            var chunks: [Range<Int>] = []
            while chunks.count < threads, next < tokens.count {
                let first = next
                while next < tokens.count, tokens.offsets[next] - tokens.offsets[first] < 1024 { next += 1 }
                chunks.append(first..<next)
            }
            nonisolated(unsafe) let encoders = encoders
            let planned = chunks
            DispatchQueue.concurrentPerform(iterations: planned.count) { worker in
                MatrixProduct.setThreads(1)
                let lines = planned[worker]
                encoders[worker].states(
                    tokens, lines: lines, after: layers,
                    into: states.pointer + Int(tokens.offsets[lines.lowerBound]) * width)
            }
            progress(next)
        }
    }

    /// The states of one line, (its tokens, hidden).
    func line(_ index: Int) -> UnsafePointer<Float> { UnsafePointer(states.pointer + Int(offsets[index]) * width) }
}
