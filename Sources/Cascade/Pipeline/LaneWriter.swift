import Diagnostics
import Streams

/// Delivers a lane's finished jobs to its output, in order.
struct LaneWriter {
    let lane: CascadeLane
    let board: CascadeBoard

    /// Delivers until all jobs are delivered or the output is closed; in the latter case it abandons the lane.
    func run() {
        while let job = takeFinished() {
            guard lane.output.deliver(job) else {
                board.abandon(lane)
                // The reader may be waiting for bytes that are no longer needed.
                lane.source.interrupt()
                return
            }
            recycle(job)
        }
    }

    private enum Look {
        case job(CascadeJob)
        case over
        /// Lines have started to wait for the teacher, so the writer needs a deadline.
        case waiting
    }

    /// Waits for the next job in order, or for late lines of an unordered lane. Returns nil after the last one, or if
    /// the lane was abandoned. Also answers lines whose wait for the teacher has timed out.
    private func takeFinished() -> CascadeJob? {
        while true {
            let oldest = board.studentMayAnswer ? board.monitor.withLock { _ in lane.queue.oldestDeferral } : nil
            let look: Look?
            if let oldest {
                let deadline = oldest &+ board.options.teacherTimeout
                look = board.monitor.wait(on: CascadeBoard.Signal.output(lane), until: deadline) { _ in nextFinished() }
            } else {
                look = board.monitor.wait(on: CascadeBoard.Signal.output(lane)) { _ in
                    if let next = nextFinished() { return next }
                    return board.studentMayAnswer && lane.queue.oldestDeferral != nil ? .waiting : nil
                }
            }
            switch look {
            case .job(let job): return job
            case .over: return nil
            case .waiting: continue
            case nil: expire()
            }
        }
    }

    private func nextFinished() -> Look? {
        if lane.queue.isAbandoned { return .over }
        if let job = lane.queue.takeFinished() { return .job(job) }
        return lane.queue.isOver ? .over : nil
    }

    /// Lets the student answer the lines whose wait for the teacher has timed out.
    private func expire() {
        let now = Monotonic.nanoseconds
        let (late, change) = board.monitor.withLock { state -> ([CascadeJob], TeacherCircuit?) in
            guard let late = lane.queue.expire(at: now, timeout: board.options.teacherTimeout) else { return ([], nil) }
            state.teacher.dropExpired()
            return (late, state.teacher.note(.failed, at: now))
        }
        board.notify(change)
        for job in late { board.finishWaited(job) }
    }

    /// Frees a delivered job for reuse. A job of an unordered lane may still have late lines to deliver first.
    private func recycle(_ job: CascadeJob) {
        if job.part == .sure {
            job.clearBuffers()
            let isReady = board.monitor.withLock { _ in
                job.sureIsDelivered = true
                return job.waiting == 0
            }
            if isReady { board.finishWaited(job) }
            return
        }
        let lines = job.records.count
        job.reset()
        let (wakes, isLast, wakesReader) = board.monitor.withLock { state in
            lane.queue.recycle(job, lines: lines)
            let wakes = state.workers.idleStudents > 0 && lane.queue.records.count > 0
            return (wakes, lane.queue.isOver, lane.queue.readerAwaitsDelivery)
        }
        if wakesReader { board.monitor.signal(CascadeBoard.Signal.room(lane)) }
        if isLast {
            board.wakeWorkers()
        } else if wakes {
            board.monitor.broadcast(CascadeBoard.Signal.work)
        }
    }
}
