import Diagnostics

/// A trained model that computes one logit per label for a line of text: a student or a teacher.
///
/// Immutable and shared by all threads; each thread makes its own scorer.
public protocol LineClassifier: Sendable {
    /// Names in the order of the logits. The order is fixed by the weights.
    var labels: [String] { get }
    /// The model's name in outputs and logs (the directory's name, or the name in its configuration).
    var version: String { get }

    func makeScorer() -> any LineScorer
}

/// One thread's use of a model: the model plus working memory that is reused from batch to batch.
public protocol LineScorer: AnyObject {
    /// Logits of every line of `batch`, written row-major (batch.count, labels.count) to `logits`.
    ///
    /// `logits` must have room for batch.count · labels.count values. An empty line is valid. A line's logits don't
    /// depend on the other lines of the batch (up to f32 rounding).
    ///
    /// A model in this process doesn't fail: it implements the method without `throws` and ignores the deadline.
    ///
    /// - Parameter deadline: the time after which the logits are of no use, in nanoseconds of CLOCK_MONOTONIC; nil:
    ///   there is none. At the deadline a model outside of this process stops waiting and throws.
    /// - Throws: the error of a model that can't be reached, fails or misses the deadline. `logits` is then undefined
    ///   and none of the lines is scored. The scorer remains usable: a later call tries again.
    func score(
        _ batch: LineBatch, into logits: UnsafeMutableBufferPointer<Float>, deadline: UInt64?
    ) throws(UnderstudyError)

    /// The number of tokens in the last scored batch, and how many of them the tokenizer doesn't know; zeros if not
    /// counted.
    var tokenCounts: (all: Int, unknown: Int) { get }
}

extension LineScorer {
    public var tokenCounts: (all: Int, unknown: Int) { (0, 0) }
}

/// UTF-8 lines stored end to end without separators, as the models expect them.
///
/// Line `i` is `bytes[offsets[i] ..< offsets[i + 1]]`.
public struct LineBatch: Sendable {
    public var bytes: [UInt8] = []
    /// `count + 1` offsets into `bytes`; the first is 0.
    public private(set) var offsets: [Int] = [0]

    public init() {}

    public init(_ lines: some Sequence<String>) {
        for line in lines { append(Array(line.utf8)) }
    }

    public var count: Int { offsets.count - 1 }

    public mutating func append(_ line: some Sequence<UInt8>) {
        bytes.append(contentsOf: line)
        offsets.append(bytes.count)
    }

    public mutating func append(_ line: UnsafeBufferPointer<UInt8>) {
        bytes.append(contentsOf: line)
        offsets.append(bytes.count)
    }

    /// Empties the batch and keeps its memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        offsets.append(0)
    }

    /// Calls `body` with the bytes of every line in turn.
    public func forEachLine(_ body: (Int, UnsafeBufferPointer<UInt8>) -> Void) {
        bytes.withUnsafeBufferPointer { all in
            for index in 0..<count {
                body(index, UnsafeBufferPointer(rebasing: all[offsets[index]..<offsets[index + 1]]))
            }
        }
    }
}
