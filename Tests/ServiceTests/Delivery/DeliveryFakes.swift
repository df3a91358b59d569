import Bytes
import Cascade
import Configuration
import Diagnostics
import Glibc
import Models
import Service
import Store
import Streams
import TestSupport

/// A classifier whose logits are made from a hash of the line.
struct HashClassifier: LineClassifier {
    var labels = ["sports", "culture", "finance"]
    var version = "s"
    var salt: UInt64 = 0
    /// Called before each batch.
    var before: @Sendable () -> Void = {}

    func makeScorer() -> any LineScorer { Scorer(classifier: self) }

    func logits(_ line: [UInt8]) -> [Float] {
        let hash = line.withUnsafeBufferPointer { XXHash64.hash($0, seed: salt) }
        return labels.indices.map { Float((hash >> (12 * UInt64($0))) % 4001) / 1000 - 2 }
    }

    private final class Scorer: LineScorer {
        private let classifier: HashClassifier
        init(classifier: HashClassifier) { self.classifier = classifier }

        func score(_ batch: LineBatch, into logits: UnsafeMutableBufferPointer<Float>, deadline: UInt64?) {
            classifier.before()
            batch.forEachLine { index, line in
                for (label, logit) in classifier.logits(Array(line)).enumerated() {
                    logits[index * classifier.labels.count + label] = logit
                }
            }
        }
    }
}

/// Files of numbered lines, read in pieces of random size.
final class FileLane: StreamSource {
    struct File: Sendable {
        var inode: UInt64
        var lines: [[UInt8]]
        /// How many lines an earlier run had come past, and which of those it had left without an answer.
        var passed = 0
        var left: [Int] = []

        var bytes: [UInt8] { Array(lines.map { $0 + [0x0A] }.joined()) }

        /// Where the lines start.
        var offsets: [UInt64] {
            var next: UInt64 = 0
            return lines.map { line in
                defer { next += UInt64(line.count) + 1 }
                return next
            }
        }
    }

    private struct State: Sendable {
        var random: SplitMix
        var events: [Event] = []
        var next = 0
        var isInterrupted = false
        var committed = 0
    }

    private enum Event: Sendable {
        case opened(SourceOrigin)
        case bytes([UInt8])
        case finished
        case wait(@Sendable () -> Bool)
    }

    let name: String
    let files: [File]
    private let monitor: Monitor<State>

    /// Before the second file, the source waits for `goesOn`; it looks again when it is poked.
    init(_ name: String, _ files: [File], seed: UInt64, goesOn: (@Sendable () -> Bool)? = nil) {
        self.name = name
        self.files = files
        var state = State(random: SplitMix(seed: seed))
        for (index, file) in files.enumerated() {
            if index == 1, let goesOn { state.events.append(.wait(goesOn)) }
            let identity = FileIdentity(device: 1, inode: file.inode)
            let starts = file.offsets + [UInt64(file.bytes.count)]
            let first = file.left.first ?? file.passed
            state.events.append(
                .opened(
                    SourceOrigin(
                        source: name, path: "\(file.inode)", file: identity, start: starts[first],
                        firstLine: UInt64(first + 1), unanswered: file.left.map { starts[$0] },
                        resumed: starts[file.passed], resumedLine: UInt64(file.passed + 1))))
            var rest = file.bytes[Int(starts[first])...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...300, using: &state.random))
                state.events.append(.bytes(Array(piece)))
                rest = rest.dropFirst(piece.count)
            }
            state.events.append(.finished)
        }
        monitor = Monitor(state)
    }

    func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> SourceEvent {
        monitor.wait(on: 0) { state in
            if state.isInterrupted { return .stopped }
            if state.next < state.events.count, case .wait(let condition) = state.events[state.next] {
                guard condition() else { return nil }
                state.next += 1
            }
            guard state.next < state.events.count else { return .end }
            defer { state.next += 1 }
            switch state.events[state.next] {
            case .opened(let origin): return .opened(origin)
            case .finished, .wait: return .finished
            case .bytes(let bytes):
                room.copyBytes(from: bytes)
                return .bytes(bytes.count)
            }
        }
    }

    func interrupt() {
        monitor.withLock { $0.isInterrupted = true }
        monitor.broadcast(0)
    }

    func poke() {
        monitor.withLock { _ in }
        monitor.broadcast(0)
    }

    func checkpoint(_ position: SourcePosition) -> FileCheckpoint? {
        position.origin.file.map {
            FileCheckpoint(
                source: name, path: position.origin.path, file: $0, offset: position.offset, line: position.line,
                isFinished: position.isFinished, unanswered: position.unanswered, mark: 0, size: 0, modified: 0)
        }
    }

    func committed(_ position: SourcePosition) { monitor.withLock { $0.committed += 1 } }
    /// How often it has been told of a commit.
    var acknowledgements: Int { monitor.withLock { $0.committed } }
}

/// What the commits so far have made durable, and how each of them ends.
final class ScriptedStore: Sendable {
    struct Checkpoints: Sendable {
        var positions: [FileIdentity: FileCheckpoint] = [:]
        var lengths: [String: UInt64] = [:]
    }

    private struct State: Sendable {
        var now = Checkpoints()
        var history: [Checkpoints] = []
        var rows: [DisagreementRow] = []
        var attempts = 0
    }

    private let monitor = Monitor(State())
    private let outcome: @Sendable (_ attempt: Int) -> UnderstudyError?

    private let seen: @Sendable (Commit) -> Void

    /// `seen` is called with each commit before it is made.
    init(
        _ outcome: @escaping @Sendable (_ attempt: Int) -> UnderstudyError? = { _ in nil },
        seen: @escaping @Sendable (Commit) -> Void = { _ in }
    ) {
        self.seen = seen
        self.outcome = outcome
    }

    func commit(_ all: Commit) throws(UnderstudyError) {
        let attempt = monitor.withLock { state in
            state.attempts += 1
            return state.attempts
        }
        seen(all)
        if let failure = outcome(attempt) { throw failure }
        monitor.withLock { state in
            for checkpoint in all.checkpoints { state.now.positions[checkpoint.file] = checkpoint }
            for sink in all.sinks { state.now.lengths[sink.path] = sink.length }
            state.history.append(state.now)
            state.rows += all.disagreements
        }
    }

    var history: [Checkpoints] { monitor.withLock { $0.history } }
    var rows: [DisagreementRow] { monitor.withLock { $0.rows } }
    var attempts: Int { monitor.withLock { $0.attempts } }
}
