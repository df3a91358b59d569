import Streams

/// A line that waits for the teacher. Its job may be read only while the board's lock is held.
package struct DeferredLine: Sendable {
    package var job: CascadeJob
    /// Index into the job's lines.
    package var line: Int
    /// The job's ticket when the line was queued.
    var ticket: Int
    package var isAudit: Bool

    package init(_ job: CascadeJob, line: Int, isAudit: Bool) {
        self.job = job
        self.line = line
        self.isAudit = isAudit
        ticket = job.ticket
    }

    /// Whether the line has timed out: its job has been answered and may hold other lines.
    var isExpired: Bool { ticket != job.ticket }
    var isAbandoned: Bool { job.lane?.queue.isAbandoned ?? true }
}

/// The teacher's queue: the lines that wait for it, the passes under way, and the circuit breaker that admits passes.
package struct TeacherQueue: Sendable {
    /// The lines that may be added to the queue, and whether the teacher is unavailable.
    struct Room {
        var lines: Int
        var audits: Int
        var isBroken: Bool
    }

    /// The outcome of a pass.
    package enum Outcome {
        case failed
        /// The teacher was loaded, but its lines had expired by then.
        case loaded
        /// The number of scored lines, and the duration of the pass in nanoseconds.
        case answered(lines: Int, time: UInt64)
    }

    package private(set) var lines: [DeferredLine] = []
    package private(set) var circuit: TeacherCircuit
    /// Passes under way.
    private(set) var passes = 0
    /// Teacher threads that wait for a fuller pass.
    var filling = 0
    /// Until the teacher is loaded, only one worker may run it.
    var isLoaded = false
    private let mostLines: Int
    private let linesPerPass: Int
    /// Maximum duration of a pass that isn't a failure, in nanoseconds.
    private let patience: UInt64
    private let retry: UInt64

    package init(_ options: CascadeOptions) {
        circuit = TeacherCircuit(firstPause: options.teacherRetry)
        mostLines = options.teacherQueueLines
        linesPerPass = options.teacherLines
        patience = options.whenTeacherFull == .answerWithStudent ? options.teacherTimeout : .max
        retry = options.teacherRetry
    }

    // MARK: Lines

    package var isFull: Bool { lines.count >= mostLines }

    /// One pass of audits may always wait, whatever the length of the queue. If audits were skipped whenever the
    /// teacher is busy, they would not represent busy hours, and there might be none.
    func room(at now: UInt64) -> Room {
        Room(
            lines: max(0, mostLines - lines.count), audits: max(0, linesPerPass - lines.count { $0.isAudit }),
            isBroken: circuit.refuses(at: now))
    }

    package mutating func append(_ line: DeferredLine) { lines.append(line) }

    /// Begins a pass of at most `count` lines.
    package mutating func beginPass(_ count: Int, into taken: inout [DeferredLine]) {
        passes += 1
        take(count, of: lines.first?.job.models, into: &taken)
    }

    mutating func endPass() { passes -= 1 }

    /// Moves at most `count` lines from the front to `taken`, all of them with the same models.
    package mutating func take(_ count: Int, of models: CascadeModels?, into taken: inout [DeferredLine]) {
        var end = 0
        while end < min(count, lines.count), lines[end].job.models === models { end += 1 }
        taken.append(contentsOf: lines[..<end])
        lines.removeFirst(end)
    }

    /// Puts lines back at the front. Removes all audits and returns them.
    package mutating func putBack(_ returned: [DeferredLine]) -> [DeferredLine] {
        let all = returned.filter { !$0.isExpired && !$0.isAbandoned } + lines
        lines = all.filter { !$0.isAudit }
        return all.filter(\.isAudit)
    }

    /// Drops the lines of an abandoned lane.
    mutating func drop(_ lane: CascadeLane) { lines.removeAll { $0.job.lane === lane } }

    mutating func dropExpired() { lines.removeAll(where: \.isExpired) }

    // MARK: The circuit

    /// Changes the circuit. Returns the new state if it differs, else nil.
    mutating func changeCircuit(_ change: (inout TeacherCircuit) -> Void) -> TeacherCircuit? {
        let before = circuit
        change(&circuit)
        return before == circuit ? nil : circuit
    }

    /// Records the outcome of a pass. Returns the circuit if it has changed.
    package mutating func note(_ outcome: Outcome, at now: UInt64) -> TeacherCircuit? {
        changeCircuit { [patience] circuit in
            switch outcome {
            case .failed: circuit.failed(at: now)
            case .answered(0, _): circuit.passedWithoutLines(at: now)
            case .answered(_, let time) where time > patience: circuit.failed(at: now)
            case .answered, .loaded: circuit.succeeded()
            }
        }
    }

    /// The time when a pass that the circuit refuses may be tried again.
    func nextTrial(after now: UInt64) -> UInt64 {
        if case .open(let end) = circuit.state { return end }
        return now &+ retry
    }
}
