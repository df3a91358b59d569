import Bytes
import Cascade
import Diagnostics
import Glibc
import Models
import Streams
import TestSupport

/// A classifier whose logits are made from a hash of the line: nothing to learn, everything to check.
struct HashClassifier: LineClassifier {
    var labels = ["sports", "culture", "finance", "technology", "travel"]
    var version = "hash"
    /// Mixed into the hash, so that two classifiers disagree.
    var salt: UInt64 = 0
    /// Lines that contain this get logits that aren't numbers.
    var poison: UInt8?
    /// Called before each batch with the number of lines in it.
    var before: @Sendable (Int) -> Void = { _ in }

    func makeScorer() -> any LineScorer { Scorer(classifier: self) }

    /// The logits of one line, one per name of `order`.
    func logits(_ line: [UInt8], order: [String]? = nil) -> [Float] {
        if let poison, line.contains(poison) { return [Float](repeating: .nan, count: labels.count) }
        let hash = line.withUnsafeBufferPointer { XXHash64.hash($0, seed: salt) }
        return (order ?? labels).map { name in
            let own = Array(name.utf8).withUnsafeBufferPointer { XXHash64.hash($0, seed: hash) }
            return Float(own % 4001) / 1000 - 2
        }
    }

    private final class Scorer: LineScorer {
        private let classifier: HashClassifier
        init(classifier: HashClassifier) { self.classifier = classifier }

        func score(_ batch: LineBatch, into logits: UnsafeMutableBufferPointer<Float>, deadline: UInt64?) {
            classifier.before(batch.count)
            batch.forEachLine { index, line in
                for (label, logit) in classifier.logits(Array(line)).enumerated() {
                    logits[index * classifier.labels.count + label] = logit
                }
            }
        }
    }
}

/// Gives out a byte string in pieces, then waits or ends as it is told.
final class ScriptedSource: ByteSource {
    enum Step: Sendable {
        case bytes([UInt8])
        /// Goes on only when `condition` says so; it is asked again whenever `poke` is called.
        case wait(@Sendable () -> Bool)
        case fail(UnderstudyError)
        /// Waits for an interruption.
        case silence
    }

    private struct State: Sendable {
        var steps: [Step]
        var next = 0
        var isInterrupted = false
    }

    private let monitor: Monitor<State>

    init(_ steps: [Step]) { monitor = Monitor(State(steps: steps)) }

    /// `bytes` in pieces of random size.
    convenience init(_ bytes: [UInt8], largest: Int, random: inout SplitMix) {
        var steps: [Step] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Int.random(in: 1...largest, using: &random))
            steps.append(.bytes(Array(bytes[start..<end])))
            start = end
        }
        self.init(steps)
    }

    func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> ReadOutcome {
        let outcome: Result<ReadOutcome, UnderstudyError> = monitor.wait(on: 0) { state in
            while true {
                if state.isInterrupted { return .success(.stopped) }
                guard state.next < state.steps.count else { return .success(.end) }
                switch state.steps[state.next] {
                case .silence: return nil
                case .fail(let error): return .failure(error)
                case .wait(let condition):
                    guard condition() else { return nil }
                    state.next += 1
                case .bytes(let bytes):
                    let count = min(bytes.count, room.count)
                    room.copyBytes(from: bytes[..<count])
                    state.steps[state.next] = .bytes(Array(bytes[count...]))
                    if count == bytes.count { state.next += 1 }
                    if count > 0 { return .success(.bytes(count)) }
                }
            }
        }
        return try outcome.get()
    }

    func interrupt() {
        monitor.withLock { $0.isInterrupted = true }
        monitor.broadcast(0)
    }

    func poke() {
        monitor.withLock { _ in }
        monitor.broadcast(0)
    }
}

/// Keeps what is written.
final class CollectingSink: ByteSink {
    private let monitor = Monitor([UInt8]())
    private let behaviour: @Sendable (Int) throws(UnderstudyError) -> SinkOutcome
    private let after: @Sendable () -> Void

    /// `behaviour` is asked before each write, with the number of bytes taken so far; `after` is told after each.
    init(
        behaviour: @escaping @Sendable (Int) throws(UnderstudyError) -> SinkOutcome = { _ in .written },
        after: @escaping @Sendable () -> Void = {}
    ) {
        self.behaviour = behaviour
        self.after = after
    }

    func write(_ bytes: UnsafeBufferPointer<UInt8>) throws(UnderstudyError) -> SinkOutcome {
        guard try behaviour(self.bytes.count) == .written else { return .closed }
        monitor.withLock { $0.append(contentsOf: bytes) }
        after()
        return .written
    }

    var bytes: [UInt8] { monitor.withLock { $0 } }
    var text: String { String(decoding: bytes, as: UTF8.self) }
    var lines: [String] { text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init) }
}

/// A teacher that is in memory already.
func source(of classifier: some LineClassifier) -> TeacherSource { TeacherSource(classifier) }
