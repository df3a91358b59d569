import Streams

/// The state shared by readers, workers and writers: lines read, lines in the teacher's queue, finished jobs.
///
/// It has one lock, taken a few times per job and never per line. All queues are bounded by the options' jobs, chunks
/// and pending lines; a thread that finds a full queue waits. This file defines the state; the extensions hold the
/// operations of workers, teacher threads, readers and writers.
final class CascadeBoard: Sendable {
    /// A line in the teacher's queue. Its job may be read only while the board's lock is held.
    struct DeferredLine: Sendable {
        var job: CascadeJob
        /// Index into the job's lines.
        var line: Int
        /// The job's ticket when the line was queued.
        var ticket: Int

        var isAbandoned: Bool { job.lane?.state.isAbandoned ?? true }
        var isAudit: Bool { job.states[line].reason == .audit }
    }

    /// A worker's next work.
    enum Work {
        case student(CascadeJob)
        /// Run the teacher on the lines in the worker's list.
        case teacher
        /// Models were replaced or a lane was closed: release objects that are no longer in use.
        case refresh
    }

    /// The kinds of work that a worker takes.
    enum Role: Sendable {
        case student
        case teacher
        case both
    }

    struct State: Sendable {
        var lanes: [CascadeLane?] = []
        var models: CascadeModels
        /// Counts the changes after which workers release the objects they hold.
        var generation = 0
        /// The lane to serve first. It rotates, so that all lanes are served.
        var turn = 0
        var deferred: [DeferredLine] = []
        var idleStudents = 0
        var idleTeachers = 0
        var teaching = 0
        /// Teacher threads that wait for a fuller pass.
        var filling = 0
        var teacherIsLoaded = false
        var circuit: TeacherCircuit
        var isStopping = false
        /// Number of the newest liveness check. Every worker that accesses the board copies it to `heard`.
        var call = 0
        var heard: [Int]

        /// Changes the circuit. Returns the new state if it differs, else nil.
        mutating func changeCircuit(_ change: (inout TeacherCircuit) -> Void) -> TeacherCircuit? {
            let before = circuit
            change(&circuit)
            return before == circuit ? nil : circuit
        }
    }

    /// Conditions of the monitor on which threads wait. Each lane has two.
    enum Signal {
        static let work = 0
        static let teacherWork = 1
        static let heard = 2
        static func room(_ lane: CascadeLane) -> Int { 3 + 2 * lane.slot }
        static func output(_ lane: CascadeLane) -> Int { 4 + 2 * lane.slot }
        static let count = 3 + 2 * CascadeBoard.mostLanes
    }

    /// Maximum number of lanes. Each takes a few megabytes.
    static let mostLanes = 256

    let monitor: Monitor<State>
    let options: CascadeOptions
    let observer: any CascadeObserver
    let plan: WorkPlan
    let teacherPlan: WorkPlan

    init(options: CascadeOptions, models: CascadeModels, observer: any CascadeObserver) {
        self.options = options
        self.observer = observer
        plan = WorkPlan(
            workers: options.threads, studentLines: options.studentLines, teacherLines: options.teacherLines,
            studentGrain: options.studentGrain)
        teacherPlan = WorkPlan(
            workers: max(1, options.teacherThreads), studentLines: options.studentLines,
            teacherLines: options.teacherLines, studentGrain: options.studentGrain)
        monitor = Monitor(
            State(
                models: models, circuit: TeacherCircuit(firstPause: options.teacherRetry),
                heard: Array(repeating: 0, count: options.threads + options.teacherThreads)),
            conditions: Signal.count)
    }

    var models: CascadeModels { monitor.withLock { $0.models } }

    /// Whether the student answers if the teacher's queue is full or the teacher fails.
    var studentMayAnswer: Bool { options.whenTeacherFull == .answerWithStudent }

    func wakeWorkers() {
        monitor.broadcast(Signal.work)
        monitor.broadcast(Signal.teacherWork)
    }
}
