/// What a worker does next: a pure choice from the numbers on the board.
///
/// Batches form when work is taken, not by a clock: a lone line is taken at once by an idle worker, and under load
/// lines pile up while workers are busy, so that the next job is full. What little there is, is shared among the idle.
///
/// Full teacher batches come first, since a deferred line is older than any line not yet read by the student and holds
/// back the order of answers; but one worker always stays with the student while there are lines for it, so that
/// reading goes on. Part-filled teacher batches run when the student has nothing to do, or when much is held back.
public struct WorkPlan: Sendable, Equatable {
    public enum Step: Sendable, Equatable {
        /// Take so many lines through the student.
        case student(lines: Int)
        /// Take so many deferred lines through the teacher.
        case teacher(lines: Int)
        case wait
    }

    /// The numbers that the choice is made from.
    public struct Situation: Sendable, Equatable {
        /// Lines read and not yet taken.
        public var pending = 0
        /// Whether another job may be in flight; if not, pending lines can't be taken.
        public var hasFreeJob = true
        /// Lines that wait for the teacher.
        public var deferred = 0
        /// Workers with nothing to do, the asking one included.
        public var idleWorkers = 1
        /// Workers in a teacher pass.
        public var teaching = 0
        /// Until the teacher has been loaded only one worker may go there; it does the loading.
        public var teacherIsLoaded = true
        /// Half of the jobs that may be in flight wait for something, or three quarters of the lines.
        public var isBackedUp = false

        public init() {}
    }

    public let workers: Int
    /// The most lines of a student job.
    public let studentLines: Int
    /// The most lines of a teacher pass.
    public let teacherLines: Int
    /// A job isn't split among idle workers below so many lines: less would not pay for waking one.
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
