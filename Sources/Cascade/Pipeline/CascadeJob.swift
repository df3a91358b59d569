import Bytes
import Models
import Streams

/// A run of consecutive lines of one origin on the way from the reader to the writer, with all memory for them. Jobs
/// are reused.
///
/// `@unchecked Sendable`: one thread owns a job at a time, and ownership passes under the board's lock. While lines
/// wait for the teacher, the job has no owner (in an unordered lane, the writer owns its buffers); `states` and
/// `teacherLogits` of the waiting lines are then written only under the board's lock.
public final class CascadeJob: @unchecked Sendable {
    /// The state of one line of `lines`.
    struct State {
        var id: UInt64
        /// Index into `records`.
        var record: Int
        /// The line's range in `passed`.
        var passedStart: Int
        var passedEnd: Int
        /// nil if the student's logits aren't finite.
        var student: Verdict?
        var reason: TeacherReason?
        var teacher = Teacher.notAsked
        /// The shadow's label in the student's order; negative if the shadow didn't run.
        var shadow: Int32 = -1
    }

    enum Teacher {
        case notAsked
        case answered(Verdict)
        case skipped(CascadeTally.Skip)
        /// The teacher's logits aren't finite.
        case broken
    }

    /// Which of the job's lines are in the buffers.
    enum Part {
        case whole
        /// In an unordered lane: the lines that don't wait for the teacher.
        case sure
        /// In an unordered lane: the lines that waited for the teacher.
        case rest
    }

    /// The job's position in the order of its lane's answers.
    package internal(set) var sequence = 0
    /// The lane of a job in flight; nil otherwise, so that no lane is retained.
    var lane: CascadeLane?
    public package(set) var models: CascadeModels?
    public internal(set) var routes: AnswerRoutes?
    public internal(set) var origin: SourceOrigin?
    public internal(set) var records: [Record] = []
    /// The texts of the valid lines.
    public internal(set) var lines = LineBatch()
    let passed = ByteBuffer(capacity: 64)
    let states: UnsafeMutablePointer<State>
    private let capacity: Int
    private var labels = 0
    /// Row-major (lines, labels), in the student's label order.
    private(set) var studentLogits: UnsafeMutablePointer<Float>
    private(set) var teacherLogits: UnsafeMutablePointer<Float>
    /// Indices into `lines` of those that the teacher is to see.
    var deferred: [Int] = []
    /// Number of these that are still unanswered. This and the next three properties are guarded by the board's lock.
    var waiting = 0
    /// Counts the uses of the job, so that a late teacher pass detects that its lines are no longer in the job.
    package internal(set) var ticket = 0
    /// Time when the lines started to wait for the teacher, in nanoseconds.
    var deferredAt: UInt64 = 0
    /// In an unordered lane: whether the sure lines have been delivered.
    var sureIsDelivered = false
    var part = Part.whole
    /// One buffer of encoded records per destination, and the number of records in each.
    public internal(set) var outputs: [ByteBuffer] = []
    public internal(set) var outputRecords: [Int] = []
    /// Records of refused lines, and their number.
    public let refusals = ByteBuffer(capacity: 64)
    public internal(set) var refusalRecords = 0
    public internal(set) var tally = CascadeTally(labels: 0)
    /// Number of the first line for which the teacher's logits weren't finite.
    public internal(set) var firstBrokenAnswer: UInt64?
    /// Time when the first line was read, and duration of the student's pass, in nanoseconds.
    public internal(set) var readAt: UInt64 = 0
    public internal(set) var studentTime: UInt64 = 0

    package init(capacity: Int) {
        self.capacity = capacity
        states = .allocate(capacity: capacity)
        studentLogits = .allocate(capacity: 1)
        teacherLogits = .allocate(capacity: 1)
        records.reserveCapacity(capacity)
        deferred.reserveCapacity(capacity)
    }

    deinit {
        states.deallocate()
        studentLogits.deallocate()
        teacherLogits.deallocate()
    }

    /// Reserves memory for the models and routes. Nothing is allocated while these stay the same.
    func prepare(labels: Int, buffers: Int) {
        if labels != self.labels {
            self.labels = labels
            studentLogits.deallocate()
            teacherLogits.deallocate()
            studentLogits = .allocate(capacity: capacity * labels)
            teacherLogits = .allocate(capacity: capacity * labels)
            tally = CascadeTally(labels: labels)
        }
        while outputs.count < buffers { outputs.append(ByteBuffer(capacity: 64)) }
        while outputRecords.count < buffers { outputRecords.append(0) }
    }

    /// Calls `body` with the text of one line.
    func withText(_ line: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        lines.bytes.withUnsafeBufferPointer { all in
            body(UnsafeBufferPointer(rebasing: all[lines.offsets[line]..<lines.offsets[line + 1]]))
        }
    }

    /// Stores the teacher's outcome for a waiting line. Returns whether it was the last one. Called under the board's
    /// lock, as is `expire`.
    func settle(_ line: Int, _ outcome: Teacher, logits: UnsafePointer<Float>) -> Bool {
        if case .answered = outcome { (teacherLogits + line * labels).update(from: logits, count: labels) }
        states[line].teacher = outcome
        waiting -= 1
        return waiting == 0
    }

    /// Ends the wait for the teacher: the student answers the waiting lines.
    func expire() {
        ticket += 1
        waiting = 0
        for line in deferred {
            if case .notAsked = states[line].teacher { states[line].teacher = .skipped(.timeout) }
        }
    }

    /// Removes delivered records, so that the rest can be encoded.
    func clearBuffers() {
        for output in outputs { output.removeAll() }
        for index in outputRecords.indices { outputRecords[index] = 0 }
        refusals.removeAll()
        refusalRecords = 0
        tally.reset()
        firstBrokenAnswer = nil
    }

    /// Removes the lines and keeps the memory.
    func reset() {
        lane = nil
        models = nil
        routes = nil
        origin = nil
        records.removeAll(keepingCapacity: true)
        lines.removeAll()
        passed.removeAll()
        deferred.removeAll(keepingCapacity: true)
        sureIsDelivered = false
        part = .whole
        studentTime = 0
        clearBuffers()
    }
}

/// Properties of a finished job for an output.
extension CascadeJob {
    /// Start offset of the first line after the job.
    public var end: UInt64 { records.last?.end ?? 0 }

    /// Number of the first line after the job.
    public var nextNumber: UInt64 { records.last?.nextNumber ?? 1 }

    /// Whether the job's last line is the last of its origin.
    public var endsOrigin: Bool { records.last?.endsOrigin ?? false }

    /// Whether these are the late lines of a job whose end was already reported.
    public var isRest: Bool { part == .rest }

    /// Calls `body` with the start offset of each line that this part of the job leaves to a later part.
    public func forEachUnanswered(_ body: (UInt64) -> Void) {
        guard part == .sure else { return }
        for line in deferred { body(records[states[line].record].offset) }
    }

    /// Calls `body` with the start offset of each line that this part of the job has answered, refused or skipped.
    public func forEachAnswered(_ body: (UInt64) -> Void) {
        switch part {
        case .rest:
            for line in deferred { body(records[states[line].record].offset) }
        case .whole:
            for record in records where record.isLine { body(record.offset) }
        case .sure:
            var next = 0
            for index in records.indices {
                if next < deferred.count, states[deferred[next]].record == index {
                    next += 1
                } else if records[index].isLine {
                    body(records[index].offset)
                }
            }
        }
    }

    /// The teacher's answer to one line.
    public struct TeacherSeen {
        public var id: UInt64
        public var text: UnsafeBufferPointer<UInt8>
        public var reason: TeacherReason
        public var student: Verdict
        public var teacher: Verdict
        /// In the student's label order.
        public var studentLogits: UnsafeBufferPointer<Float>
        public var teacherLogits: UnsafeBufferPointer<Float>
    }

    /// Calls `body` for each line of this part that the teacher has answered.
    public func forEachTeacherAnswer(_ body: (TeacherSeen) -> Void) {
        guard part != .sure, !deferred.isEmpty, let labels = models?.student.labels.count else { return }
        for line in deferred {
            let state = states[line]
            guard case .answered(let teacher) = state.teacher, let verdict = state.student, let reason = state.reason
            else { continue }
            withText(line) { text in
                body(
                    TeacherSeen(
                        id: state.id, text: text, reason: reason,
                        student: verdict, teacher: teacher,
                        studentLogits: UnsafeBufferPointer(start: studentLogits + line * labels, count: labels),
                        teacherLogits: UnsafeBufferPointer(start: teacherLogits + line * labels, count: labels)))
            }
        }
    }
}

/// Encoding of decided lines into the job's buffers.
extension CascadeJob {
    /// Encodes the lines of `part`. Only the job's owner may call it. For `.rest` no line may wait for the teacher any
    /// more.
    func encode(_ part: Part) {
        guard let routes else { return }
        self.part = part
        var next = 0
        lines.forEachLine { line, text in
            let isDeferred = next < deferred.count && deferred[next] == line
            if isDeferred { next += 1 }
            switch part {
            case .whole: break
            case .sure: if isDeferred { return }
            case .rest: if !isDeferred { return }
            }
            encode(line, text, routes)
        }
    }

    private func encode(_ line: Int, _ text: UnsafeBufferPointer<UInt8>, _ routes: AnswerRoutes) {
        let state = states[line]
        guard let verdict = state.student else {
            refuse(.noFiniteLogits, record: records[state.record], bytes: text)
            return
        }
        var answer = Answer(student: verdict)
        switch state.teacher {
        case .notAsked: break
        case .answered(let teacher):
            answer.teacher = .answered(teacher)
            answer.isByTeacher = true
            tally.byTeacher += 1
            if state.shadow >= 0 {
                tally.shadow.judge(student: verdict.label, shadow: Int(state.shadow), teacher: teacher.label)
            }
            if state.reason == .audit {
                tally.audited += 1
                if teacher.label == verdict.label { tally.auditedAlike += 1 }
            } else if teacher.label != verdict.label {
                tally.disagreements += 1
            }
        case .broken:
            skip(.broken, state, &answer)
            if firstBrokenAnswer == nil { firstBrokenAnswer = records[state.record].number }
        case .skipped(let why): skip(why, state, &answer)
        }
        if state.reason == .deferred { tally.deferred += 1 }
        let deciding = answer.deciding
        tally.answers[deciding.label] += 1
        tally.count(deciding.confidence)
        let passed = passed.bytes
        let labels = tally.answers.count
        routes.append(
            answer,
            for: AnswerEncoder.Line(
                id: state.id, text: text,
                passed: UnsafeBufferPointer(rebasing: passed[state.passedStart..<state.passedEnd]),
                studentLogits: UnsafeBufferPointer(start: studentLogits + line * labels, count: labels),
                teacherLogits: UnsafeBufferPointer(start: teacherLogits + line * labels, count: labels)),
            to: self)
    }

    /// Skipped audits are not recorded.
    private func skip(_ why: CascadeTally.Skip, _ state: State, _ answer: inout Answer) {
        guard state.reason == .deferred else { return }
        answer.teacher = .skipped
        tally.skips[why.index] += 1
    }

    func refuse(_ flaw: LineFlaw, record: Record, bytes: UnsafeBufferPointer<UInt8>) {
        tally.flaws[flaw.kind.index] += 1
        guard let encoder = routes?.refusals, let origin else { return }
        encoder.append(flaw, record: record, origin: origin, bytes: bytes, to: refusals)
        refusalRecords += 1
    }
}
