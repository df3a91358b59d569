import Streams

/// Everything that reader, workers and writer tell each other: lines read, lines that wait for the teacher, jobs done.
///
/// One lock, taken a few times per job and never per line. All queues are bounded by the jobs, chunks and pending lines
/// of the options; whoever finds one full waits.
final class CascadeBoard: Sendable {
    /// A line that waits for the teacher.
    struct DeferredLine: Sendable {
        var job: CascadeJob
        /// Index into the job's lines.
        var line: Int
    }

    /// What a worker has just done, or is to do.
    enum Work {
        case student(CascadeJob)
        /// The lines are in the worker's own list.
        case teacher
    }

    private struct State: Sendable {
        var pending: RecordRing
        /// How many records of each chunk haven't been decoded, plus one while the reader fills it.
        var chunkUses: [Int]
        var freeChunks: [Int32]
        var freeJobs: [CascadeJob]
        /// Finished jobs by sequence, modulo the number of jobs.
        var finished: [CascadeJob?]
        var nextSequence = 0
        var nextToWrite = 0
        var deferred: [DeferredLine] = []
        var idleWorkers = 0
        var studying = 0
        var teaching = 0
        var teacherIsLoaded = false
        var inputHasEnded = false
        var isAbandoned = false

        var workIsOver: Bool {
            isAbandoned
                || inputHasEnded && pending.count == 0 && deferred.isEmpty && studying == 0 && teaching == 0
        }

        func situation(jobs: Int) -> WorkPlan.Situation {
            var now = WorkPlan.Situation()
            now.pending = pending.count
            now.hasFreeJob = !freeJobs.isEmpty
            now.deferred = deferred.count
            now.idleWorkers = idleWorkers
            now.teaching = teaching
            now.teacherIsLoaded = teacherIsLoaded
            now.isBackedUp = freeJobs.count * 2 <= jobs
            return now
        }
    }

    /// Conditions of the monitor: what a thread waits for.
    private enum Signal {
        static let work = 0
        static let room = 1
        static let output = 2
        static let count = 3
    }

    private let monitor: Monitor<State>
    private let plan: WorkPlan
    private let jobs: Int
    private let jobBytes: Int

    init(options: CascadeOptions, labels: Int) {
        plan = WorkPlan(
            workers: options.threads, studentLines: options.studentLines, teacherLines: options.teacherLines,
            studentGrain: options.studentGrain)
        jobs = options.jobs
        jobBytes = options.studentBytes
        monitor = Monitor(
            State(
                pending: RecordRing(capacity: options.pendingLines),
                chunkUses: Array(repeating: 0, count: options.chunks),
                freeChunks: Array((0..<Int32(options.chunks)).reversed()),
                freeJobs: (0..<options.jobs).map { _ in CascadeJob(capacity: options.studentLines, labels: labels) },
                finished: Array(repeating: nil, count: options.jobs)),
            conditions: Signal.count)
    }

    // MARK: The reader

    /// Waits for a chunk to read into; nil if the run has been abandoned.
    func acquireChunk() -> Int32? {
        monitor.wait(on: Signal.room) { state -> Int32?? in
            if state.isAbandoned { return .some(nil) }
            guard let chunk = state.freeChunks.popLast() else { return nil }
            state.chunkUses[Int(chunk)] = 1
            return .some(chunk)
        }
    }

    /// Takes note that `uses` of a chunk are over: records decoded, or the reader done with it.
    func releaseChunk(_ chunk: Int32, uses: Int) {
        let isFree = monitor.withLock { state in
            state.chunkUses[Int(chunk)] -= uses
            guard state.chunkUses[Int(chunk)] == 0 else { return false }
            state.freeChunks.append(chunk)
            return true
        }
        if isFree { monitor.signal(Signal.room) }
    }

    /// Hands records of one chunk to the workers, waiting for room; false if the run has been abandoned.
    func push(_ records: [Record]) -> Bool {
        var done = 0
        while done < records.count {
            let (moved, wake) = monitor.wait(on: Signal.room) { state -> (Int, Bool)? in
                if state.isAbandoned { return (0, false) }
                let part = records[done..<min(records.count, done + state.pending.room)]
                guard !part.isEmpty else { return nil }
                state.pending.push(part)
                state.chunkUses[Int(records[0].chunk)] += part.count
                return (part.count, state.idleWorkers > 0)
            }
            if moved == 0 { return false }
            if wake { monitor.broadcast(Signal.work) }
            done += moved
        }
        return true
    }

    /// No more lines will come.
    func endInput() {
        monitor.withLock { $0.inputHasEnded = true }
        monitor.broadcast(Signal.work)
        monitor.signal(Signal.output)
    }

    // MARK: The workers

    /// Waits for something to do; nil when all is done. `last` is what this worker did before, `lines` gets the lines
    /// of a teacher pass.
    func next(after last: Work?, lines: inout [DeferredLine]) -> Work? {
        var hasReported = false
        var roomIsMade = false
        let work = monitor.wait(on: Signal.work) { state -> Work?? in
            if !hasReported {
                hasReported = true
                switch last {
                case .student: state.studying -= 1
                case .teacher: state.teaching -= 1
                case nil: break
                }
                state.idleWorkers += 1
            }
            if state.workIsOver { return .some(nil) }
            switch plan.next(state.situation(jobs: jobs)) {
            case .wait: return nil
            case .student(let count):
                guard let job = state.freeJobs.popLast() else { return nil }
                job.sequence = state.nextSequence
                state.nextSequence += 1
                state.pending.pop(lines: count, bytes: jobBytes, into: &job.records)
                state.studying += 1
                state.idleWorkers -= 1
                roomIsMade = true
                return .student(job)
            case .teacher(let count):
                lines.append(contentsOf: state.deferred[..<count])
                state.deferred.removeFirst(count)
                state.teaching += 1
                state.idleWorkers -= 1
                return .teacher
            }
        }
        if roomIsMade { monitor.signal(Signal.room) }
        if work == nil { monitor.broadcast(Signal.work) }
        return work
    }

    /// Puts the job's deferred lines in the queue for the teacher; the job belongs to nobody until all are answered.
    func deferLines(of job: CascadeJob) {
        let wake = monitor.withLock { state in
            job.waiting = job.deferred.count
            for line in job.deferred { state.deferred.append(DeferredLine(job: job, line: line)) }
            return state.idleWorkers > 0
        }
        if wake { monitor.broadcast(Signal.work) }
    }

    /// Takes note that the teacher is done with `lines`; jobs of which no line waits any more go to `ready`.
    func settle(_ lines: [DeferredLine], ready: inout [CascadeJob]) {
        monitor.withLock { _ in
            for deferred in lines {
                deferred.job.waiting -= 1
                if deferred.job.waiting == 0 { ready.append(deferred.job) }
            }
        }
    }

    /// From now on several workers may go to the teacher at once.
    func noteTeacherLoaded() {
        monitor.withLock { $0.teacherIsLoaded = true }
        monitor.broadcast(Signal.work)
    }

    /// Gives an encoded job to the writer.
    func finish(_ job: CascadeJob) {
        let isNext = monitor.withLock { state in
            state.finished[job.sequence % jobs] = job
            return job.sequence == state.nextToWrite
        }
        if isNext { monitor.signal(Signal.output) }
    }

    // MARK: The writer

    /// Waits for the next job in order; nil when the last has been written, or the run was abandoned.
    func takeFinished() -> CascadeJob? {
        monitor.wait(on: Signal.output) { state -> CascadeJob?? in
            if state.isAbandoned { return .some(nil) }
            let place = state.nextToWrite % jobs
            if let job = state.finished[place] {
                state.finished[place] = nil
                state.nextToWrite += 1
                return .some(job)
            }
            let isOver = state.inputHasEnded && state.pending.count == 0 && state.nextToWrite == state.nextSequence
            return isOver ? .some(nil) : nil
        }
    }

    /// The job has been written and may be used again.
    func recycle(_ job: CascadeJob) {
        job.reset()
        let wake = monitor.withLock { state in
            state.freeJobs.append(job)
            return state.idleWorkers > 0 && state.pending.count > 0
        }
        if wake { monitor.broadcast(Signal.work) }
    }

    /// Nobody takes the answers any more: every thread stops at its next look at the board.
    func abandon() {
        monitor.withLock { $0.isAbandoned = true }
        monitor.broadcast(Signal.work)
        monitor.broadcast(Signal.room)
        monitor.broadcast(Signal.output)
    }
}
