import Streams

/// The state shared by readers, workers and writers, and its one lock, which is taken a few times per job and never per
/// line.
///
/// The state consists of the lanes' queues, the teacher's queue and the roll of workers. The board passes lines and jobs
/// from one to the other and wakes the threads that wait for them; `LaneReader` and `LaneWriter` do so for their lane. All
/// queues are bounded by the options' jobs, chunks and pending lines; a thread that finds a full queue waits.
final class CascadeBoard: Sendable {
    struct State: Sendable {
        var lanes = LaneTable()
        var teacher: TeacherQueue
        var workers: WorkerRoll
        var models: CascadeModels
        /// Counts the changes after which workers release the objects they hold.
        var generation = 0
        var isStopping = false
    }

    /// Conditions of the monitor on which threads wait. Each lane has two.
    enum Signal {
        static let work = 0
        static let teacherWork = 1
        static let heard = 2
        static func room(_ lane: CascadeLane) -> Int { 3 + 2 * lane.slot }
        static func output(_ lane: CascadeLane) -> Int { 4 + 2 * lane.slot }
        static let count = 3 + 2 * LaneTable.mostLanes
    }

    let monitor: Monitor<State>
    let options: CascadeOptions
    private let observer: (any CascadeObserver)?
    private let plan: WorkPlan
    private let teacherPlan: WorkPlan

    init(options: CascadeOptions, models: CascadeModels, observer: (any CascadeObserver)?) {
        self.options = options
        self.observer = observer
        func plan(_ workers: Int) -> WorkPlan {
            WorkPlan(
                workers: max(1, workers), studentLines: options.studentLines, teacherLines: options.teacherLines,
                studentGrain: options.studentGrain)
        }
        self.plan = plan(options.threads)
        teacherPlan = plan(options.teacherThreads)
        monitor = Monitor(
            State(
                teacher: TeacherQueue(options), workers: WorkerRoll(workers: options.threads + options.teacherThreads),
                models: models),
            conditions: Signal.count)
    }

    var models: CascadeModels { monitor.withLock { $0.models } }

    /// Whether the student answers if the teacher's queue is full or the teacher fails.
    var studentMayAnswer: Bool { options.whenTeacherFull == .answerWithStudent }

    private var hasTeacherThreads: Bool { options.teacherThreads > 0 }

    func wakeWorkers() {
        monitor.broadcast(Signal.work)
        monitor.broadcast(Signal.teacherWork)
    }

    /// Makes the workers end after every lane has ended.
    func stop() {
        monitor.withLock { $0.isStopping = true }
        wakeWorkers()
    }

    /// Reports the circuit to the observer if it has changed.
    func notify(_ changed: TeacherCircuit?) {
        if let changed { observer?.circuitChanged(changed) }
    }

    // MARK: Lanes

    /// Releases `uses` of a chunk: by decoded records, or by the reader.
    func releaseChunk(_ chunk: Int32, uses: Int, of lane: CascadeLane) {
        let isFree = monitor.withLock { _ in lane.queue.releaseChunk(chunk, uses: uses) }
        if isFree { monitor.signal(Signal.room(lane)) }
    }

    /// Abandons a lane whose output is closed: its threads stop at their next access to the board.
    func abandon(_ lane: CascadeLane) {
        monitor.withLock { state in
            lane.queue.abandon()
            state.teacher.drop(lane)
        }
        wakeWorkers()
        monitor.broadcast(Signal.room(lane))
        monitor.broadcast(Signal.output(lane))
    }

    /// Removes the lane from the board.
    func close(_ lane: CascadeLane) {
        monitor.withLock { state in
            state.teacher.drop(lane)
            lane.queue.close()
            state.lanes.remove(lane)
            state.generation += 1
        }
        wakeWorkers()
    }

    // MARK: The workers

    /// A worker's next work.
    enum Work {
        case student(CascadeJob)
        /// Run the teacher on the lines in the worker's list.
        case teacher
        /// Models were replaced or a lane was closed: release objects that are no longer in use.
        case refresh
    }

    /// Waits for work. Returns nil after the end of all work. `wasTeaching` is this worker's previous work, `lines`
    /// receives the lines of a teacher pass, and `generation` is that of the objects the worker holds.
    func next(
        _ role: WorkerRole, worker: Int, wasTeaching: Bool, generation: inout Int, lines: inout [DeferredLine]
    ) -> Work? {
        var isIdle = false
        var laneWithRoom: CascadeLane?
        let signal = role == .teacher ? Signal.teacherWork : Signal.work
        let work = monitor.wait(on: signal) { state -> Work?? in
            if !isIdle {
                isIdle = true
                if wasTeaching { state.teacher.endPass() }
                state.workers.becomeIdle(role)
            }
            respond(worker, &state)
            let work: Work
            if state.generation != generation {
                generation = state.generation
                work = .refresh
            } else if isOver(state) {
                state.workers.leave(worker)
                return .some(nil)
            } else {
                let lane = role == .teacher ? nil : laneToServe(&state)
                switch step(role, state, lane) {
                case .wait: return nil
                case .student(let count):
                    guard let lane, let job = lane.queue.takeJob(lines: count, bytes: options.studentBytes) else {
                        return nil
                    }
                    job.lane = lane
                    job.models = state.models
                    if !lane.queue.readerAwaitsDelivery { laneWithRoom = lane }
                    work = .student(job)
                case .teacher(let count):
                    state.teacher.beginPass(count, into: &lines)
                    work = .teacher
                }
            }
            state.workers.becomeBusy(role)
            return .some(work)
        }
        if let laneWithRoom { monitor.signal(Signal.room(laneWithRoom)) }
        if work == nil { wakeWorkers() }
        return work
    }

    private func step(_ role: WorkerRole, _ state: State, _ lane: CascadeLane?) -> WorkPlan.Step {
        var now = WorkPlan.Situation()
        now.pending = lane?.queue.records.count ?? 0
        now.hasFreeJob = lane != nil
        now.idleWorkers = state.workers.idle(role)
        now.teaching = state.teacher.passes
        now.teacherIsLoaded = state.teacher.isLoaded
        now.deferred = role == .student ? 0 : state.teacher.lines.count
        now.isBackedUp =
            role == .both && state.lanes.contains { $0.isBackedUp(linesAhead: options.linesAhead) }
        return (role == .teacher ? teacherPlan : plan).next(now)
    }

    private func laneToServe(_ state: inout State) -> CascadeLane? {
        if !studentMayAnswer, state.teacher.isFull { return nil }
        return state.lanes.next()
    }

    private func isOver(_ state: State) -> Bool {
        guard state.isStopping, state.teacher.lines.isEmpty, state.teacher.passes == 0 else { return false }
        return !state.lanes.contains { !$0.isOver }
    }

    /// Gives an encoded job to its lane's writer.
    func finish(_ job: CascadeJob) {
        guard let lane = job.lane else { return }
        let wakesWriter = monitor.withLock { _ in lane.queue.finish(job) }
        if wakesWriter { monitor.signal(Signal.output(lane)) }
    }

    /// Encodes a job whose lines no longer wait for the teacher, and gives it to its lane's writer.
    func finishWaited(_ job: CascadeJob) {
        job.encode(job.lane?.options.isOrdered ?? true ? .whole : .rest)
        finish(job)
    }

    /// Replaces the models, and the routes of each lane. A different teacher starts with a closed circuit.
    func replace(_ models: CascadeModels, routes: [(CascadeLane, AnswerRoutes)]) {
        let change = monitor.withLock { state -> TeacherCircuit? in
            let isOtherTeacher = state.models.teacher !== models.teacher
            state.models = models
            state.generation += 1
            for (lane, routes) in routes { lane.queue.routes = routes }
            return isOtherTeacher ? state.teacher.changeCircuit { $0.succeeded() } : nil
        }
        notify(change)
        wakeWorkers()
    }

    private func respond(_ worker: Int, _ state: inout State) {
        if state.workers.respond(worker) { monitor.broadcast(Signal.heard) }
    }

    /// Checks the liveness of all workers for at most `patience` nanoseconds. Returns the number of workers that did
    /// not respond.
    func callWorkers(patience: UInt64) -> Int {
        monitor.withLock { $0.workers.beginCheck() }
        wakeWorkers()
        let deadline = Monotonic.nanoseconds &+ patience
        let allResponded: Int? = monitor.wait(on: Signal.heard, until: deadline) { state in
            state.workers.silent == 0 ? 0 : nil
        }
        return allResponded ?? monitor.withLock { $0.workers.silent }
    }

    // MARK: The teacher

    /// What a worker does with the lines that it has taken for the teacher.
    enum Admission {
        case askNow
        /// Wait until this time, in nanoseconds, or until the models are replaced.
        case later(until: UInt64, generation: Int)
        case skip
    }

    /// Returns the free room in the teacher's queue. Without threads of its own, the teacher is always available.
    func teacherRoom(now: UInt64) -> TeacherQueue.Room {
        var room = monitor.withLock { $0.teacher.room(at: now) }
        room.isBroken = room.isBroken && hasTeacherThreads
        return room
    }

    /// Puts the job's deferred lines into the teacher's queue. The job has no owner until all are answered. In an
    /// unordered lane the writer gets the other lines at once.
    func deferLines(of job: CascadeJob, now: UInt64) {
        guard let lane = job.lane else { return }
        let (wakesStudents, wakesTeachers, wakesWriter) = monitor.withLock { state in
            if lane.queue.isAbandoned { return (false, false, false) }
            job.waiting = job.deferred.count
            job.deferredAt = now
            for line in job.deferred {
                state.teacher.append(DeferredLine(job, line: line, isAudit: job.states[line].reason == .audit))
            }
            let (isOnly, isNext) = lane.queue.wait(job)
            let workers = state.workers
            return (
                workers.idleStudents > 0, workers.idleTeachers + state.teacher.filling > 0,
                studentMayAnswer && isOnly || isNext
            )
        }
        if !hasTeacherThreads, wakesStudents { monitor.broadcast(Signal.work) }
        if wakesTeachers { monitor.broadcast(Signal.teacherWork) }
        if wakesWriter { monitor.signal(Signal.output(lane)) }
    }

    /// Waits briefly for more lines if the pass isn't full and more may come.
    func awaitFuller(_ lines: inout [DeferredLine]) {
        let missing = options.teacherLines - lines.count
        guard options.teacherBatchWait > 0, missing > 0 else { return }
        let models = lines[0].job.models
        monitor.withLock { $0.teacher.filling += 1 }
        _ = monitor.wait(on: Signal.teacherWork, until: Monotonic.nanoseconds &+ options.teacherBatchWait) { state in
            state.teacher.lines.count >= missing || state.isStopping ? true : nil
        }
        monitor.withLock { state in
            state.teacher.filling -= 1
            state.teacher.take(missing, of: models, into: &lines)
        }
    }

    /// Returns whether the circuit admits a pass.
    ///
    /// The circuit is that of the current teacher. Lines that started with a former teacher are admitted at once.
    func admitTeacher(_ teacher: TeacherSource?) -> Admission {
        guard hasTeacherThreads else { return .askNow }
        let now = Monotonic.nanoseconds
        let (admission, change) = monitor.withLock { state -> (Admission, TeacherCircuit?) in
            guard state.models.teacher === teacher else { return (.askNow, nil) }
            var admits = false
            let change = state.teacher.changeCircuit { admits = $0.admits(at: now) }
            if admits { return (.askNow, change) }
            let until = state.teacher.nextTrial(after: now)
            return (studentMayAnswer ? .skip : .later(until: until, generation: state.generation), change)
        }
        notify(change)
        return admission
    }

    /// Returns whether lines wait until a failed teacher recovers. Lines of a filter don't, because a filter is not
    /// supervised; nor do lines of a teacher that has been replaced.
    func awaitsReturn(of teacher: TeacherSource?) -> Bool {
        hasTeacherThreads && !studentMayAnswer && monitor.withLock { $0.models.teacher === teacher }
    }

    /// Waits until the teacher may be used again, the queue is empty, or the models are replaced.
    func awaitTeacher(until deadline: UInt64, generation: Int, worker: Int) {
        let _: Bool? = monitor.wait(on: Signal.teacherWork, until: deadline) { state in
            respond(worker, &state)
            let hasChanged = state.generation != generation || state.teacher.circuit.state == .closed
            return hasChanged || state.teacher.lines.isEmpty ? true : nil
        }
    }

    /// Puts lines back at the front of the queue. Removes the audits from the queue and returns them.
    func putBack(_ lines: [DeferredLine]) -> [DeferredLine] {
        monitor.withLock { $0.teacher.putBack(lines) }
    }

    /// Allows several workers to run the teacher at once.
    func noteTeacherLoaded() {
        monitor.withLock { $0.teacher.isLoaded = true }
        wakeWorkers()
    }

    /// Reports `lines` that the teacher has scored in `time` nanoseconds.
    func noteTeacherPass(lines: Int, time: UInt64) {
        if lines > 0 { observer?.teacherPassed(lines: lines, nanoseconds: time) }
    }

    /// Reports the outcome of a pass of `teacher` to the circuit, unless another teacher has replaced it.
    func noteTeacher(_ teacher: TeacherSource?, _ outcome: TeacherQueue.Outcome) {
        guard hasTeacherThreads else { return }
        let now = Monotonic.nanoseconds
        let change = monitor.withLock { state -> TeacherCircuit? in
            guard state.models.teacher === teacher else { return nil }
            return state.teacher.note(outcome, at: now)
        }
        notify(change)
        if change != nil { monitor.broadcast(Signal.teacherWork) }
    }

    /// Stores the teacher's answers to `lines`, row-major in `logits` and `states`. Finishes jobs without any more
    /// waiting lines; `ready` is used for them.
    func settle(
        _ lines: [DeferredLine], labels: Int, logits: UnsafePointer<Float>, states: [CascadeJob.Teacher],
        ready: inout [CascadeJob]
    ) {
        monitor.withLock { _ in
            for (index, deferred) in lines.enumerated() {
                let job = deferred.job
                guard !deferred.isExpired, job.settle(deferred.line, states[index], logits: logits + index * labels),
                    let lane = job.lane
                else { continue }
                if lane.queue.endWait(job) { ready.append(job) }
            }
        }
        if options.teacherQueueLines != .max { monitor.broadcast(Signal.work) }
        for job in ready { finishWaited(job) }
        ready.removeAll(keepingCapacity: true)
    }
}
