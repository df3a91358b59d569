import Streams

/// The board's operations for a lane's reader and writer threads.
extension CascadeBoard {
    // MARK: The reader

    /// Waits for a chunk to read into. Returns nil if the lane has been abandoned.
    func acquireChunk(_ lane: CascadeLane) -> Int32? {
        monitor.wait(on: Signal.room(lane)) { _ -> Int32?? in
            if lane.state.isAbandoned { return .some(nil) }
            guard let chunk = lane.state.freeChunks.popLast() else { return nil }
            lane.state.chunkUses[Int(chunk)] = 1
            return .some(chunk)
        }
    }

    /// Releases `uses` of a chunk: by decoded records, or by the reader.
    func releaseChunk(_ chunk: Int32, uses: Int, of lane: CascadeLane) {
        let isFree = monitor.withLock { _ in
            lane.state.chunkUses[Int(chunk)] -= uses
            guard lane.state.chunkUses[Int(chunk)] == 0 else { return false }
            lane.state.freeChunks.append(chunk)
            return true
        }
        if isFree { monitor.signal(Signal.room(lane)) }
    }

    /// Returns the slot of an origin that the reader has opened. The reader releases it with `closeOrigin`.
    func openOrigin(_ origin: SourceOrigin, of lane: CascadeLane) -> Int32 {
        monitor.withLock { _ in lane.state.origins.open(origin) }
    }

    func closeOrigin(_ slot: Int32, of lane: CascadeLane) {
        monitor.withLock { _ in lane.state.origins.release(slot, uses: 1) }
    }

    /// Gives records of one chunk and one origin to the workers, and waits for room. Returns false if the lane has been
    /// abandoned.
    func push(_ records: [Record], of lane: CascadeLane) -> Bool {
        let now = Monotonic.nanoseconds
        var done = 0
        while done < records.count {
            let (moved, wake) = monitor.wait(on: Signal.room(lane)) { state -> (Int, Bool)? in
                if lane.state.isAbandoned { return (0, false) }
                let room = lane.state.pending.room
                let ahead = options.linesAhead - lane.state.pending.count - lane.state.linesInFlight
                let part = records[done..<min(records.count, done + max(0, min(room, ahead)))]
                lane.state.unpushed = records.count - done - part.count
                lane.state.readerAwaitsDelivery = part.isEmpty && room > 0
                guard !part.isEmpty else { return nil }
                lane.state.pending.push(part)
                lane.state.readTimes.push(part.count, at: now)
                lane.state.chunkUses[Int(records[0].chunk)] += part.count
                lane.state.origins.hold(records[0].origin, uses: part.count)
                return (part.count, state.idleStudents > 0)
            }
            if moved == 0 { return false }
            if wake { monitor.broadcast(Signal.work) }
            done += moved
        }
        return true
    }

    /// Marks the end of the input.
    func endInput(of lane: CascadeLane) {
        monitor.withLock { _ in lane.state.inputHasEnded = true }
        wakeWorkers()
        monitor.signal(Signal.output(lane))
    }

    // MARK: The writer

    private enum Look {
        case job(CascadeJob)
        case over
        /// Lines have started to wait for the teacher, so the writer needs a deadline.
        case waiting
    }

    /// Waits for the next job in order, or for late lines of an unordered lane. Returns nil after the last one, or if
    /// the lane was abandoned. Also answers lines whose wait for the teacher has timed out.
    func takeFinished(of lane: CascadeLane) -> CascadeJob? {
        while true {
            let deadline = studentMayAnswer ? teacherDeadline(of: lane) : nil
            let look: Look?
            if let deadline {
                look = monitor.wait(on: Signal.output(lane), until: deadline) { _ in nextFinished(of: lane) }
            } else {
                look = monitor.wait(on: Signal.output(lane)) { _ in
                    if let next = nextFinished(of: lane) { return next }
                    return studentMayAnswer && !lane.state.waitingJobs.isEmpty ? .waiting : nil
                }
            }
            switch look {
            case .job(let job): return job
            case .over: return nil
            case .waiting: continue
            case nil: expire(in: lane)
            }
        }
    }

    private func nextFinished(of lane: CascadeLane) -> Look? {
        if lane.state.isAbandoned { return .over }
        if !lane.state.rests.isEmpty { return .job(lane.state.rests.removeFirst()) }
        let place = lane.state.nextToWrite % lane.jobs
        if let job = lane.state.finished[place] {
            lane.state.finished[place] = nil
            lane.state.nextToWrite += 1
            return .job(job)
        }
        return lane.state.isOver ? .over : nil
    }

    /// Frees a delivered job for reuse. A job of an unordered lane may still have late lines to deliver first.
    func recycle(_ job: CascadeJob) {
        guard let lane = job.lane else { return }
        if job.part == .sure {
            job.clearBuffers()
            let isReady = monitor.withLock { _ in
                job.sureIsDelivered = true
                return job.waiting == 0
            }
            if isReady {
                job.encode(.rest)
                finish(job)
            }
            return
        }
        let lines = job.records.count
        job.reset()
        let (wake, isLast, wakesReader) = monitor.withLock { state in
            job.ticket += 1
            lane.state.freeJobs.append(job)
            lane.state.jobsInFlight -= 1
            lane.state.linesInFlight -= lines
            return (
                state.idleStudents > 0 && lane.state.pending.count > 0, lane.state.isOver,
                lane.state.readerAwaitsDelivery
            )
        }
        if wakesReader { monitor.signal(Signal.room(lane)) }
        if isLast {
            wakeWorkers()
        } else if wake {
            monitor.broadcast(Signal.work)
        }
    }

    /// Abandons a lane whose output is closed: its threads stop at their next access to the board.
    func abandon(_ lane: CascadeLane) {
        monitor.withLock { state in
            lane.state.isAbandoned = true
            state.deferred.removeAll { $0.job.lane === lane }
        }
        wakeWorkers()
        monitor.broadcast(Signal.room(lane))
        monitor.broadcast(Signal.output(lane))
    }

    /// Removes the lane from the board. Jobs and lane reference each other, so the remaining jobs are released here.
    func close(_ lane: CascadeLane) {
        monitor.withLock { state in
            lane.state.isAbandoned = true
            state.deferred.removeAll { $0.job.lane === lane }
            state.lanes[lane.slot] = nil
            state.generation += 1
            lane.state.finished = []
            lane.state.rests = []
            lane.state.waitingJobs = []
        }
        wakeWorkers()
    }

    // MARK: Timed-out lines

    private func teacherDeadline(of lane: CascadeLane) -> UInt64? {
        monitor.withLock { _ in lane.state.waitingJobs.first.map { $0.deferredAt &+ options.teacherTimeout } }
    }

    /// Lets the student answer the lines whose wait for the teacher has timed out.
    private func expire(in lane: CascadeLane) {
        let now = Monotonic.nanoseconds
        let (late, change) = monitor.withLock { state -> ([CascadeJob], TeacherCircuit?) in
            let late = lane.state.waitingJobs.filter { now >= $0.deferredAt &+ options.teacherTimeout }
            guard !late.isEmpty else { return ([], nil) }
            for job in late {
                job.ticket += 1
                job.waiting = 0
                for line in job.deferred {
                    if case .notAsked = job.states[line].teacher { job.states[line].teacher = .skipped(.timeout) }
                }
            }
            state.deferred.removeAll { $0.ticket != $0.job.ticket }
            lane.state.waitingJobs.removeAll { job in late.contains { $0 === job } }
            let change = state.changeCircuit { $0.failed(at: now) }
            return (late.filter { lane.options.isOrdered || $0.sureIsDelivered }, change)
        }
        if let change { observer.circuitChanged(change) }
        for job in late {
            job.encode(lane.options.isOrdered ? .whole : .rest)
            finish(job)
        }
    }
}
