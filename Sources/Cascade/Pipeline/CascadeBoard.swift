import Streams

/// Everything that readers, workers and writers tell each other: lines read, lines that wait for the teacher, jobs done.
///
/// One lock, taken a few times per job and never per line. All queues are bounded by the jobs, chunks and pending lines
/// of the options; whoever finds one full waits. Here is its state; what workers, the teacher's threads and a lane's reader
/// and writer do with it is in the extensions.
final class CascadeBoard: Sendable {
    /// A line that waits for the teacher. What it says of its job holds with the board's lock only.
    struct DeferredLine: Sendable {
        var job: CascadeJob
        /// Index into the job's lines.
        var line: Int
        /// The job's ticket when the line was put here.
        var ticket: Int

        var isAbandoned: Bool { job.lane?.state.isAbandoned ?? true }
        var isAudit: Bool { job.states[line].reason == .audit }
    }

    /// What a worker is to do.
    enum Work {
        case student(CascadeJob)
        /// The lines are in the worker's own list.
        case teacher
        /// Models have been replaced or a lane has gone: let go of what isn't needed any more.
        case refresh
    }

    /// Which work a worker takes.
    enum Role: Sendable {
        case student
        case teacher
        case both
    }

    struct State: Sendable {
        var lanes: [CascadeLane?] = []
        var models: CascadeModels
        /// Counts the changes after which workers let go of what they hold.
        var generation = 0
        /// The lane that is looked at first, so that all get their turn.
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
        /// Every worker that passes by writes the newest call here: a sign of life.
        var call = 0
        var heard: [Int]

        /// Changes the circuit; what has come of it, if it is another now.
        mutating func changeCircuit(_ change: (inout TeacherCircuit) -> Void) -> TeacherCircuit? {
            let before = circuit
            change(&circuit)
            return before == circuit ? nil : circuit
        }
    }

    /// Conditions of the monitor: what a thread waits for. Each lane has two of its own.
    enum Signal {
        static let work = 0
        static let teacherWork = 1
        static let heard = 2
        static func room(_ lane: CascadeLane) -> Int { 3 + 2 * lane.slot }
        static func output(_ lane: CascadeLane) -> Int { 4 + 2 * lane.slot }
        static let count = 3 + 2 * CascadeBoard.mostLanes
    }

    /// More sources than anybody has; each costs a few megabytes.
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

    /// Whether a worker can answer without the teacher when that is full or broken.
    var studentMayAnswer: Bool { options.whenTeacherFull == .answerWithStudent }

    func wakeWorkers() {
        monitor.broadcast(Signal.work)
        monitor.broadcast(Signal.teacherWork)
    }
}
