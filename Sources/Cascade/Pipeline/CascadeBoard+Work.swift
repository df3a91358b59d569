import Streams

/// The board's operations for workers: taking and returning work.
extension CascadeBoard {
    // MARK: Taking work

    /// Waits for work. Returns nil after the end of all work. `wasTeaching` is this worker's previous work, `lines`
    /// receives the lines of a teacher pass, and `generation` is that of the objects the worker holds.
    func next(
        _ role: Role, worker: Int, wasTeaching: Bool, generation: inout Int, lines: inout [DeferredLine]
    ) -> Work? {
        var hasReported = false
        var laneWithRoom: CascadeLane?
        var known = generation
        var taken = lines
        lines = []
        defer {
            generation = known
            lines = taken
        }
        func look(_ state: inout State) -> Work?? {
            if !hasReported {
                hasReported = true
                if wasTeaching { state.teaching -= 1 }
                if role == .teacher { state.idleTeachers += 1 } else { state.idleStudents += 1 }
            }
            answerCall(worker, &state)
            guard state.generation == known else {
                known = state.generation
                noteBusy(role, &state)
                return .some(.refresh)
            }
            if workIsOver(state) {
                // Later liveness checks don't wait for this worker.
                state.heard[worker] = .max
                return .some(nil)
            }
            let lane = role == .teacher ? nil : laneToServe(&state)
            switch step(role, state, lane) {
            case .wait: return nil
            case .student(let count):
                guard let lane, let job = lane.state.freeJobs.popLast() else { return nil }
                take(count, of: lane, into: job, state.models)
                if !lane.state.readerAwaitsDelivery { laneWithRoom = lane }
                noteBusy(role, &state)
                return .some(.student(job))
            case .teacher(let count):
                takeDeferred(count, &state, &taken)
                state.teaching += 1
                noteBusy(role, &state)
                return .some(.teacher)
            }
        }
        let work = monitor.wait(on: role == .teacher ? Signal.teacherWork : Signal.work, until: look)
        if let laneWithRoom { monitor.signal(Signal.room(laneWithRoom)) }
        if work == nil { wakeWorkers() }
        return work
    }

    private func noteBusy(_ role: Role, _ state: inout State) {
        if role == .teacher { state.idleTeachers -= 1 } else { state.idleStudents -= 1 }
    }

    private func step(_ role: Role, _ state: State, _ lane: CascadeLane?) -> WorkPlan.Step {
        var now = WorkPlan.Situation()
        now.pending = lane?.state.pending.count ?? 0
        now.hasFreeJob = lane != nil
        now.idleWorkers = role == .teacher ? state.idleTeachers : state.idleStudents
        now.teaching = state.teaching
        now.teacherIsLoaded = state.teacherIsLoaded
        switch role {
        case .student: now.deferred = 0
        case .teacher: now.deferred = state.deferred.count
        case .both:
            now.deferred = state.deferred.count
            now.isBackedUp = state.lanes.contains { lane in
                lane.map {
                    $0.state.freeJobs.count * 2 <= $0.jobs || $0.state.linesInFlight >= options.linesAhead / 4 * 3
                } ?? false
            }
        }
        return (role == .teacher ? teacherPlan : plan).next(now)
    }

    /// Returns the next lane with lines and a free job, in turn.
    private func laneToServe(_ state: inout State) -> CascadeLane? {
        if options.whenTeacherFull == .block, state.deferred.count >= options.teacherQueueLines { return nil }
        for step in 0..<state.lanes.count {
            let slot = (state.turn + step) % state.lanes.count
            guard let lane = state.lanes[slot], !lane.state.isAbandoned, lane.state.pending.count > 0,
                !lane.state.freeJobs.isEmpty
            else { continue }
            state.turn = slot + 1
            return lane
        }
        return nil
    }

    private func take(_ count: Int, of lane: CascadeLane, into job: CascadeJob, _ models: CascadeModels) {
        job.sequence = lane.state.nextSequence
        lane.state.nextSequence += 1
        lane.state.jobsInFlight += 1
        lane.state.pending.pop(lines: count, bytes: options.studentBytes, into: &job.records)
        lane.state.linesInFlight += job.records.count
        job.readAt = lane.state.readTimes.pop(job.records.count)
        let slot = job.records[0].origin
        job.origin = lane.state.origins[slot]
        lane.state.origins.release(slot, uses: job.records.count)
        job.lane = lane
        job.models = models
        job.routes = lane.state.routes
    }

    /// Takes lines for a pass; all of them have the same models.
    private func takeDeferred(_ count: Int, _ state: inout State, _ lines: inout [DeferredLine]) {
        let models = state.deferred[0].job.models
        var taken = 0
        while taken < count, state.deferred[taken].job.models === models { taken += 1 }
        lines.append(contentsOf: state.deferred[..<taken])
        state.deferred.removeFirst(taken)
    }

    private func workIsOver(_ state: State) -> Bool {
        guard state.isStopping, state.deferred.isEmpty, state.teaching == 0 else { return false }
        return state.lanes.allSatisfy { $0?.state.isOver ?? true }
    }

    // MARK: Giving it back

    /// Puts the job's deferred lines into the teacher's queue. The job has no owner until all are answered. In an
    /// unordered lane the writer gets the other lines at once.
    func deferLines(of job: CascadeJob, now: UInt64) {
        guard let lane = job.lane else { return }
        let (wakesStudents, wakesTeachers, wakesWriter) = monitor.withLock { state in
            if lane.state.isAbandoned { return (false, false, false) }
            job.waiting = job.deferred.count
            job.deferredAt = now
            for line in job.deferred {
                state.deferred.append(DeferredLine(job: job, line: line, ticket: job.ticket))
            }
            lane.state.waitingJobs.append(job)
            if !lane.options.isOrdered { lane.state.finished[job.sequence % lane.jobs] = job }
            let isFirst = studentMayAnswer && lane.state.waitingJobs.count == 1
            let isNext = !lane.options.isOrdered && job.sequence == lane.state.nextToWrite
            return (state.idleStudents > 0, state.idleTeachers + state.filling > 0, isFirst || isNext)
        }
        if options.teacherThreads == 0, wakesStudents { monitor.broadcast(Signal.work) }
        if wakesTeachers { monitor.broadcast(Signal.teacherWork) }
        if wakesWriter { monitor.signal(Signal.output(lane)) }
    }

    /// Stores the teacher's answers to `lines`, row-major in `logits` and `states`. Appends jobs without any more
    /// waiting lines to `ready`.
    func settle(
        _ lines: [DeferredLine], labels: Int, logits: UnsafePointer<Float>, states: [CascadeJob.Teacher],
        ready: inout [CascadeJob]
    ) {
        monitor.withLock { _ in
            for (index, deferred) in lines.enumerated() {
                let job = deferred.job
                // The job's lines have timed out; the job may already hold other lines.
                guard job.ticket == deferred.ticket else { continue }
                if case .answered = states[index] {
                    (job.teacherLogits + deferred.line * labels).update(from: logits + index * labels, count: labels)
                }
                job.states[deferred.line].teacher = states[index]
                job.waiting -= 1
                guard job.waiting == 0, let lane = job.lane else { continue }
                lane.state.waitingJobs.removeAll { $0 === job }
                if lane.options.isOrdered || job.sureIsDelivered { ready.append(job) }
            }
        }
        if options.teacherQueueLines != .max { monitor.broadcast(Signal.work) }
    }

    /// Gives an encoded job to its lane's writer.
    func finish(_ job: CascadeJob) {
        guard let lane = job.lane else { return }
        let wakesWriter = monitor.withLock { _ in
            // The writer has stopped.
            if lane.state.isAbandoned { return false }
            if job.part == .rest {
                lane.state.rests.append(job)
                return true
            }
            lane.state.finished[job.sequence % lane.jobs] = job
            return job.sequence == lane.state.nextToWrite
        }
        if wakesWriter { monitor.signal(Signal.output(lane)) }
    }
}
