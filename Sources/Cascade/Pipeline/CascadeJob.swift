import Models
import Streams

/// A run of consecutive lines on their way from the reader to the writer, with all the memory that they need. Jobs are
/// made once and used again and again.
///
/// `@unchecked Sendable`: at any time one thread owns a job, and the board's lock hands it over. The one exception is
/// while lines wait for the teacher: then nobody owns the job, and each teacher pass writes `states` and
/// `teacherLogits` of its own lines only, until the board finds under its lock that none is left waiting.
final class CascadeJob: @unchecked Sendable {
    /// What is known about one line of `lines`.
    struct State {
        var id: UInt64
        /// The line's number in the stream, from 1.
        var number: UInt64
        /// The range of `passed` that belongs to the line.
        var passedStart: Int
        var passedEnd: Int
        /// nil if the student's logits aren't finite numbers.
        var student: Verdict?
        var teacher = Teacher.notAsked
    }

    enum Teacher {
        case notAsked
        case answered(Answer.Opinion)
        /// Its logits aren't finite numbers.
        case broken
        /// It couldn't be loaded.
        case unavailable
    }

    /// The job's place in the order of answers.
    var sequence = 0
    var records: [Record] = []
    /// The texts of the lines that can be classified.
    var lines = LineBatch()
    let passed = ByteBuffer(capacity: 64)
    let states: UnsafeMutablePointer<State>
    /// Row-major (lines, labels), in the student's label order.
    let studentLogits: UnsafeMutablePointer<Float>
    let teacherLogits: UnsafeMutablePointer<Float>
    /// Indices into `lines` of the ones that the teacher is asked about.
    var deferred: [Int] = []
    /// How many of those it hasn't answered yet. Guarded by the board's lock.
    var waiting = 0
    let answers = ByteBuffer(capacity: 65_536)
    let diagnostics = ByteBuffer(capacity: 64)
    var tally: CascadeTally
    /// The first line about which the teacher gave logits that aren't finite numbers.
    var firstBrokenAnswer: UInt64?

    init(capacity: Int, labels: Int) {
        states = .allocate(capacity: capacity)
        studentLogits = .allocate(capacity: capacity * labels)
        teacherLogits = .allocate(capacity: capacity * labels)
        tally = CascadeTally(labels: labels)
        records.reserveCapacity(capacity)
        deferred.reserveCapacity(capacity)
    }

    deinit {
        states.deallocate()
        studentLogits.deallocate()
        teacherLogits.deallocate()
    }

    /// Calls `body` with the text of one line.
    func withText(_ line: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        lines.bytes.withUnsafeBufferPointer { all in
            body(UnsafeBufferPointer(rebasing: all[lines.offsets[line]..<lines.offsets[line + 1]]))
        }
    }

    /// Forgets the lines and keeps the memory.
    func reset() {
        records.removeAll(keepingCapacity: true)
        lines.removeAll()
        passed.removeAll()
        deferred.removeAll(keepingCapacity: true)
        answers.removeAll()
        diagnostics.removeAll()
        tally.reset()
        firstBrokenAnswer = nil
    }
}
