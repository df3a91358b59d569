import Bytes
import Cascade
import Diagnostics
import Glibc
import Models
import Streams
import TestSupport

/// A lane's source that gives what a script says: whole origins in pieces of any size.
final class ScriptedLane: StreamSource {
    enum Step: Sendable {
        case opened(SourceOrigin)
        case bytes([UInt8])
        case finished
        /// Goes on when `poke` has been called with the condition true.
        case wait(@Sendable () -> Bool)
        /// The same bytes again and again, until it is interrupted.
        case endless([UInt8])
        case silence
    }

    private struct State: Sendable {
        var steps: [Step]
        var next = 0
        var isInterrupted = false
    }

    let name: String
    private let monitor: Monitor<State>

    init(_ name: String, _ steps: [Step]) {
        self.name = name
        monitor = Monitor(State(steps: steps))
    }

    /// One stream of `lines`, in pieces of random size.
    convenience init(_ name: String, lines: [String], largest: Int, random: inout SplitMix) {
        let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
        let origin = SourceOrigin(source: name, path: name, file: nil)
        self.init(name, [.opened(origin)] + Self.pieces(bytes, largest: largest, random: &random))
    }

    static func pieces(_ bytes: [UInt8], largest: Int, random: inout SplitMix) -> [Step] {
        var steps: [Step] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Int.random(in: 1...largest, using: &random))
            steps.append(.bytes(Array(bytes[start..<end])))
            start = end
        }
        return steps
    }

    func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> SourceEvent {
        monitor.wait(on: 0) { state -> SourceEvent? in
            while true {
                if state.isInterrupted { return .stopped }
                guard state.next < state.steps.count else { return .end }
                switch state.steps[state.next] {
                case .silence: return nil
                case .wait(let condition):
                    guard condition() else { return nil }
                    state.next += 1
                case .opened(let origin):
                    state.next += 1
                    return .opened(origin)
                case .finished:
                    state.next += 1
                    return .finished
                case .endless(let bytes):
                    let count = min(room.count, bytes.count)
                    room.copyBytes(from: bytes[..<count])
                    return .bytes(count)
                case .bytes(let bytes):
                    let count = min(bytes.count, room.count)
                    room.copyBytes(from: bytes[..<count])
                    state.steps[state.next] = .bytes(Array(bytes[count...]))
                    if count == bytes.count { state.next += 1 }
                    if count > 0 { return .bytes(count) }
                }
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
}

/// Keeps what is delivered, and can be told to hold or to refuse.
final class CollectingLane: LaneOutput {
    /// What there is to know of a delivered job.
    struct Delivery: Sendable {
        var records: [[String]]
        var counts: [Int]
        var refusals: Int
        var tally: CascadeTally
        var student: String
        var teacher: String?
        var end: UInt64
        var nextNumber: UInt64
        var endsOrigin: Bool
        var isRest: Bool
        var unanswered: [UInt64]
        var answered: [UInt64]
        var path: String
    }

    private struct State: Sendable {
        var deliveries: [Delivery] = []
        var isBlocked = false
        var refuses = false
    }

    private let monitor = Monitor(State(), conditions: 2)
    private let pause: @Sendable () -> Void

    init(isBlocked: Bool = false, pause: @escaping @Sendable () -> Void = {}) {
        self.pause = pause
        monitor.withLock { $0.isBlocked = isBlocked }
    }

    func deliver(_ job: CascadeJob) -> Bool {
        pause()
        var delivery = Delivery(
            records: job.outputs.map {
                String(decoding: $0.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
            },
            counts: job.outputRecords, refusals: job.refusalRecords, tally: job.tally,
            student: job.models?.student.version ?? "", teacher: job.models?.teacher?.version, end: job.end,
            nextNumber: job.nextNumber, endsOrigin: job.endsOrigin, isRest: job.isRest,
            unanswered: [], answered: [], path: job.origin?.path ?? "")
        job.forEachUnanswered { delivery.unanswered.append($0) }
        job.forEachAnswered { delivery.answered.append($0) }
        let made = delivery
        let isTaken = monitor.wait(on: 0) { state -> Bool? in
            if state.refuses { return false }
            if state.isBlocked { return nil }
            state.deliveries.append(made)
            return true
        }
        monitor.broadcast(1)
        return isTaken
    }

    func unblock() {
        monitor.withLock { $0.isBlocked = false }
        monitor.broadcast(0)
    }

    func block() { monitor.withLock { $0.isBlocked = true } }

    /// Takes nothing any more.
    func refuse() {
        monitor.withLock { $0.refuses = true }
        monitor.broadcast(0)
    }

    var deliveries: [Delivery] { monitor.withLock { $0.deliveries } }
    /// All records of the first route, in the order of their coming.
    var records: [String] { deliveries.flatMap { $0.records.first ?? [] } }
    var proofs: [Proof] { records.compactMap(Proof.init) }

    /// Waits until `isEnough` of the records; false if that doesn't come about.
    func wait(_ isEnough: ([Delivery]) -> Bool) -> Bool {
        let deadline = Monotonic.nanoseconds + UInt64(patience) * 1_000_000_000
        return monitor.wait(on: 1, until: deadline) { isEnough($0.deliveries) ? true : nil } ?? false
    }

    func wait(lines: Int) -> Bool {
        wait { $0.reduce(0) { $0 + $1.tally.answered } >= lines }
    }
}

/// A record that tells how it was made.
struct Proof: Sendable, Equatable {
    var text: String
    var label: String
    var by: String
    var student: String
    var teacher: String
    /// `asked`, `skipped` or `none`.
    var state: String

    init?(_ record: String) {
        let parts = record.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6 else { return nil }
        (text, label, by, student, teacher, state) = (parts[0], parts[1], parts[2], parts[3], parts[4], parts[5])
    }

    final class Encoder: RecordEncoder {
        private let labels: [String]
        private let tail: String

        init(_ models: CascadeModels) {
            labels = models.student.labels
            tail = "|\(models.student.version)|\(models.teacher?.version ?? "-")|"
        }

        func append(_ answer: Answer, for line: AnswerEncoder.Line, to output: ByteBuffer) {
            let state =
                switch answer.teacher {
                case .notAsked: "none"
                case .answered: "asked"
                case .skipped: "skipped"
                }
            let by = answer.isByTeacher ? "teacher" : "student"
            let text = String(decoding: line.text, as: UTF8.self)
            output.append(Array("\(text)|\(labels[answer.deciding.label])|\(by)\(tail)\(state)\n".utf8))
        }
    }
}

/// Routes of proofs: one that takes all, or what `make` says.
struct ProofRouting: AnswerRouting {
    var make: @Sendable (Proof.Encoder, CascadeModels) -> [AnswerRoutes.Route] = { encoder, _ in
        [AnswerRoutes.Route(encoder: encoder)]
    }

    func routes(for models: CascadeModels) -> AnswerRoutes {
        AnswerRoutes(make(Proof.Encoder(models), models), labels: models.student.labels.count, refusals: Refusals())
    }

    struct Refusals: RefusalEncoder {
        func append(
            _ flaw: LineFlaw, record: Record, origin: SourceOrigin, bytes: UnsafeBufferPointer<UInt8>,
            to output: ByteBuffer
        ) {
            output.append(Array("\(flaw.kind.rawValue) \(record.number)\n".utf8))
        }
    }
}

/// An engine at work, and the threads of its lanes.
final class RunningEngine {
    final class Lane: Sendable {
        let lane: CascadeLane
        let output: CollectingLane
        let source: ScriptedLane
        private let ending = Monitor<LaneEnding?>(nil)
        private let threads: Monitor<[WorkerThread]>

        init(
            _ engine: CascadeEngine, _ source: ScriptedLane, _ output: CollectingLane, _ options: LaneOptions,
            _ routing: any AnswerRouting
        ) throws {
            let lane = try engine.open(options, source: source, output: output, routing: routing)
            self.lane = lane
            self.output = output
            self.source = source
            let ending = ending
            threads = Monitor([])
            let started = [
                try WorkerThread(name: "writer") { engine.write(lane) },
                try WorkerThread(name: "reader") {
                    let end = engine.read(lane)
                    ending.withLock { $0 = end }
                },
            ]
            threads.withLock { $0 = started }
        }

        /// Waits for the end of both threads.
        @discardableResult
        func join() -> LaneEnding? {
            let all = threads.withLock { threads in
                defer { threads = [] }
                return threads
            }
            for thread in all { thread.join() }
            return ending.withLock { $0 }
        }
    }

    let engine: CascadeEngine
    private var lanes: [Lane] = []

    init(
        _ models: CascadeModels, observer: (any CascadeObserver)? = nil,
        _ change: (inout CascadeOptions) -> Void = { _ in },
        report: @escaping @Sendable (UnderstudyError) -> Void = { _ in }
    ) throws {
        var options = CascadeOptions()
        options.threads = 2
        options.teacherThreads = 1
        options.chunkBytes = 4096
        change(&options)
        engine = try CascadeEngine(options: options, models: models, observer: observer) { report($1) }
        try engine.start()
    }

    @discardableResult
    func open(
        _ source: ScriptedLane, _ output: CollectingLane = CollectingLane(),
        routing: any AnswerRouting = ProofRouting(), _ change: (inout LaneOptions) -> Void = { _ in }
    ) throws -> Lane {
        var options = LaneOptions(source: source.name, maximumLineBytes: 200)
        change(&options)
        let lane = try Lane(engine, source, output, options, routing)
        lanes.append(lane)
        return lane
    }

    func close(_ lane: Lane) {
        lane.join()
        engine.close(lane.lane)
        lanes.removeAll { $0 === lane }
    }

    /// Waits for all lanes and ends all threads.
    func finish() {
        for lane in lanes { close(lane) }
        engine.stop()
        engine.join()
    }
}

/// The models of a test: the teacher is asked about lines that the student is less sure of than `below`.
func models(
    _ student: HashClassifier = HashClassifier(), _ teacher: TeacherSource? = nil, below threshold: Float = 0.5,
    auditShare: Double = 0
) throws -> CascadeModels {
    try CascadeModels(
        student: student, teacher: teacher,
        decider: LineDecider(.fixed(try DeferralPolicy(.confidence, below: threshold)), auditShare: auditShare))
}

/// What the student alone thinks of a line.
func verdict(_ classifier: HashClassifier, _ line: String) -> Verdict? {
    classifier.logits(Array(line.utf8)).withUnsafeBufferPointer { Verdict($0, temperature: 1) }
}

/// Holds whoever comes by until it is opened.
final class Gate: Sendable {
    private let monitor: Monitor<(isOpen: Bool, waiting: Int)>

    init(isOpen: Bool = false) { monitor = Monitor((isOpen, 0), conditions: 2) }

    func pass() {
        monitor.withLock { $0.waiting += 1 }
        monitor.broadcast(1)
        monitor.wait(on: 0) { $0.isOpen ? () : nil }
        monitor.withLock { $0.waiting -= 1 }
    }

    func open() {
        monitor.withLock { $0.isOpen = true }
        monitor.broadcast(0)
    }

    func shut() { monitor.withLock { $0.isOpen = false } }

    /// Waits until somebody stands before it; false if nobody comes.
    func awaitVisitor() -> Bool {
        let deadline = Monotonic.nanoseconds + UInt64(patience) * 1_000_000_000
        return monitor.wait(on: 1, until: deadline) { $0.waiting > 0 ? true : nil } ?? false
    }
}
