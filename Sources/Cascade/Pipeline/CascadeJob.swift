import Models
import Streams

/// A run of consecutive lines of one origin on their way from the reader to the writer, with all the memory that they
/// need. Jobs are made once and used again and again.
///
/// `@unchecked Sendable`: at any time one thread owns a job, and the board's lock hands it over. The one exception is
/// while lines wait for the teacher: then nobody owns the job (of an unordered lane, the writer owns its buffers), and
/// `states` and `teacherLogits` of the waiting lines are written with the board's lock held only, until none waits.
public final class CascadeJob: @unchecked Sendable {
    /// What is known about one line of `lines`.
    struct State {
        var id: UInt64
        /// Index into `records`.
        var record: Int
        /// The range of `passed` that belongs to the line.
        var passedStart: Int
        var passedEnd: Int
        /// nil if the student's logits aren't finite numbers.
        var student: Verdict?
        var reason: LineDecider.Reason?
        var teacher = Teacher.notAsked
        /// The shadow's label in the student's order; negative where it wasn't asked.
        var shadow: Int32 = -1
    }

    enum Teacher {
        case notAsked
        case answered(Answer.Opinion)
        case skipped(CascadeTally.Skip)
        /// Its logits aren't finite numbers.
        case broken
    }

    /// Which of the job's lines the buffers hold.
    enum Part {
        case whole
        /// Those of an unordered lane that needn't wait for the teacher.
        case sure
        /// Those that had to.
        case rest
    }

    /// The job's place in the order of its lane's answers.
    var sequence = 0
    /// What the job belongs to while it is in flight; nil in between, so that nothing is kept alive.
    var lane: CascadeLane?
    public internal(set) var models: CascadeModels?
    public internal(set) var routes: AnswerRoutes?
    public internal(set) var origin: SourceOrigin?
    public internal(set) var records: [Record] = []
    /// The texts of the lines that can be classified.
    public internal(set) var lines = LineBatch()
    let passed = ByteBuffer(capacity: 64)
    let states: UnsafeMutablePointer<State>
    private let capacity: Int
    private var labels = 0
    /// Row-major (lines, labels), in the student's label order.
    private(set) var studentLogits: UnsafeMutablePointer<Float>
    private(set) var teacherLogits: UnsafeMutablePointer<Float>
    /// Indices into `lines` of the ones that the teacher is asked about.
    var deferred: [Int] = []
    /// How many of those it hasn't answered yet. Guarded by the board's lock, as the next three.
    var waiting = 0
    /// Counts the job's uses, so that a teacher pass that comes too late finds that its lines have gone.
    var ticket = 0
    /// When the lines began to wait for the teacher, in nanoseconds.
    var deferredAt: UInt64 = 0
    /// Of an unordered lane: whether the sure lines have been handed over.
    var sureIsDelivered = false
    var part = Part.whole
    /// One buffer of finished records for each of the routes' destinations, and the number of records in each.
    public internal(set) var outputs: [ByteBuffer] = []
    public internal(set) var outputRecords: [Int] = []
    /// Records of refused lines, and how many.
    public let refusals = ByteBuffer(capacity: 64)
    public internal(set) var refusalRecords = 0
    public internal(set) var tally = CascadeTally(labels: 0)
    /// The first line about which the teacher gave logits that aren't finite numbers.
    public internal(set) var firstBrokenAnswer: UInt64?
    /// When the job's first line was read, and how long the student took, in nanoseconds.
    public internal(set) var readAt: UInt64 = 0
    public internal(set) var studentTime: UInt64 = 0

    init(capacity: Int) {
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

    /// Makes room for what these models and routes need; nothing is allocated while they stay the same.
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

    /// Forgets what has been delivered, so that the rest can be put in its place.
    func clearBuffers() {
        for output in outputs { output.removeAll() }
        for index in outputRecords.indices { outputRecords[index] = 0 }
        refusals.removeAll()
        refusalRecords = 0
        tally.reset()
        firstBrokenAnswer = nil
    }

    /// Forgets the lines and keeps the memory.
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
