/// Chooses a worker's next work from the numbers on the board.
///
/// Batches form when work is taken, not by a timer: an idle worker takes a single line at once; under load, lines
/// accumulate while workers are busy, so that the next job is full. A small number of lines is shared among the idle
/// workers.
///
/// Full teacher batches come first, because a deferred line is older than any line the student hasn't read and delays
/// the answers behind it. One worker always stays with the student while it has lines, so that reading continues.
/// Partly filled teacher batches run when the student has no lines, or when many lines are delayed.
public struct WorkPlan: Sendable, Equatable {
    public enum Step: Sendable, Equatable {
        /// Run the student on this number of lines.
        case student(lines: Int)
        /// Run the teacher on this number of deferred lines.
        case teacher(lines: Int)
        case wait
    }

    /// The numbers that the choice depends on.
    public struct Situation: Sendable, Equatable {
        /// Lines read and not yet taken.
        public var pending = 0
        /// Whether a job is free. If not, pending lines can't be taken.
        public var hasFreeJob = true
        /// Lines in the teacher's queue.
        public var deferred = 0
        /// Idle workers, including the calling one.
        public var idleWorkers = 1
        /// Workers in a teacher pass.
        public var teaching = 0
        /// Until the teacher is loaded, only one worker may run it; that worker loads it.
        public var teacherIsLoaded = true
        /// Whether half of the jobs that may be in flight are waiting, or three quarters of the lines.
        public var isBackedUp = false

        public init() {}
    }

    public let workers: Int
    /// Maximum lines of a student job.
    public let studentLines: Int
    /// Maximum lines of a teacher pass.
    public let teacherLines: Int
    /// Minimum lines of a job to be split among idle workers; fewer would not justify waking one.
    public let studentGrain: Int

    public init(workers: Int, studentLines: Int, teacherLines: Int, studentGrain: Int) {
        precondition(workers > 0 && studentLines > 0 && teacherLines > 0 && studentGrain > 0)
        self.workers = workers
        self.studentLines = studentLines
        self.teacherLines = teacherLines
        self.studentGrain = studentGrain
    }

    public func next(_ now: Situation) -> Step {
        let pending = now.hasFreeJob ? now.pending : 0
        let seats = now.teacherIsLoaded ? (pending > 0 ? max(1, workers - 1) : workers) : 1
        let mayTeach = now.deferred > 0 && now.teaching < seats
        let teacherShare = share(now.deferred, among: now.idleWorkers, grain: 1, most: teacherLines)
        if mayTeach, now.deferred >= teacherLines || now.isBackedUp { return .teacher(lines: teacherShare) }
        if pending > 0 {
            return .student(
                lines: share(pending, among: now.idleWorkers, grain: studentGrain, most: studentLines))
        }
        return mayTeach ? .teacher(lines: teacherShare) : .wait
    }

    private func share(_ lines: Int, among idle: Int, grain: Int, most: Int) -> Int {
        let part = (lines + max(idle, 1) - 1) / max(idle, 1)
        return min(most, lines, max(part, grain))
    }
}
