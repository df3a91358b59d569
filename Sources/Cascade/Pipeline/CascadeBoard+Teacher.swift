import Diagnostics
import Streams

/// Admission of passes to the teacher, and the circuit breaker.
extension CascadeBoard {
    /// What a worker does with the lines that it has taken for the teacher.
    enum Admission {
        case askNow
        /// Wait until this time, in nanoseconds, or until the models are replaced.
        case later(until: UInt64, generation: Int)
        case skip
    }

    /// Returns whether lines wait until a failed teacher recovers. Lines of a filter don't, because a filter is not
    /// supervised; nor do lines of a teacher that has been replaced.
    func awaitsReturn(of teacher: TeacherSource?) -> Bool {
        options.teacherThreads > 0 && !studentMayAnswer && monitor.withLock { $0.models.teacher === teacher }
    }

    /// Returns the free room in the teacher's queue for lines and for audits, and whether the teacher is unavailable.
    ///
    /// One pass of audits may always wait, whatever the length of the queue. If audits were skipped whenever the
    /// teacher is busy, they would not represent busy hours, and there might be none.
    func teacherRoom(now: UInt64) -> (lines: Int, audits: Int, isBroken: Bool) {
        monitor.withLock { state in
            let waiting = state.deferred.count
            let audits = state.deferred.count { $0.isAudit }
            return (
                max(0, options.teacherQueueLines - waiting), max(0, options.teacherLines - audits),
                options.teacherThreads > 0 && state.circuit.refuses(at: now)
            )
        }
    }

    /// Waits briefly for more lines if the pass isn't full and more may come.
    func awaitFuller(_ lines: inout [DeferredLine]) {
        guard options.teacherBatchWait > 0, lines.count < options.teacherLines else { return }
        let missing = options.teacherLines - lines.count
        let models = lines[0].job.models
        monitor.withLock { $0.filling += 1 }
        _ = monitor.wait(on: Signal.teacherWork, until: Monotonic.nanoseconds &+ options.teacherBatchWait) { state in
            state.deferred.count >= missing || state.isStopping ? true : nil
        }
        let more = monitor.withLock { state in
            state.filling -= 1
            var taken = 0
            while taken < min(missing, state.deferred.count), state.deferred[taken].job.models === models { taken += 1 }
            defer { state.deferred.removeFirst(taken) }
            return Array(state.deferred[..<taken])
        }
        lines.append(contentsOf: more)
    }

    /// Returns whether the circuit admits a pass.
    ///
    /// The circuit is that of the current teacher. Lines that started with a former teacher are admitted at once.
    func admitTeacher(_ teacher: TeacherSource?) -> Admission {
        if options.teacherThreads == 0 { return .askNow }
        let now = Monotonic.nanoseconds
        let (admits, change, later) = monitor.withLock { state in
            var admits = true
            var change: TeacherCircuit?
            if state.models.teacher === teacher { change = state.changeCircuit { admits = $0.admits(at: now) } }
            var until = now &+ options.teacherRetry
            if case .open(let end) = state.circuit.state { until = end }
            return (admits, change, Admission.later(until: until, generation: state.generation))
        }
        if let change { observer.circuitChanged(change) }
        if admits { return .askNow }
        return studentMayAnswer ? .skip : later
    }

    /// Waits until the teacher may be used again, the queue is empty, or the models are replaced.
    func awaitTeacher(until deadline: UInt64, generation: Int, worker: Int) {
        let _: Bool? = monitor.wait(on: Signal.teacherWork, until: deadline) { state in
            answerCall(worker, &state)
            let hasChanged = state.generation != generation || state.circuit.state == .closed
            return hasChanged || state.deferred.isEmpty ? true : nil
        }
    }

    /// Puts lines back at the front of the queue. Removes the audits from the queue and returns them.
    func putBack(_ lines: [DeferredLine]) -> [DeferredLine] {
        monitor.withLock { state in
            let all = lines.filter { $0.ticket == $0.job.ticket && !$0.isAbandoned } + state.deferred
            state.deferred = all.filter { !$0.isAudit }
            return all.filter(\.isAudit)
        }
    }

    /// The outcome of a pass.
    enum PassOutcome {
        case failed
        /// The teacher was loaded, but its lines had expired by then.
        case loaded
        case answered
    }

    /// Reports the outcome of a pass of `teacher` to the circuit and the observer. A pass without answered lines is
    /// neither a success nor a failure.
    func noteTeacher(_ teacher: TeacherSource?, _ outcome: PassOutcome, lines: Int = 0, time: UInt64 = 0) {
        if lines > 0 { observer.teacherPassed(lines: lines, nanoseconds: time) }
        guard options.teacherThreads > 0 else { return }
        let isSlow = studentMayAnswer && time > options.teacherTimeout
        let now = Monotonic.nanoseconds
        let change = monitor.withLock { state -> TeacherCircuit? in
            guard state.models.teacher === teacher else { return nil }
            return state.changeCircuit { circuit in
                switch outcome {
                case .failed: circuit.failed(at: now)
                case .answered where lines == 0: circuit.passedWithoutLines(at: now)
                case .answered where isSlow: circuit.failed(at: now)
                case .answered, .loaded: circuit.succeeded()
                }
            }
        }
        if let change {
            observer.circuitChanged(change)
            monitor.broadcast(Signal.teacherWork)
        }
    }

    /// Replaces the models, and the routes of each lane. A different teacher starts with a closed circuit.
    func replace(_ models: CascadeModels, routes: [(CascadeLane, AnswerRoutes)]) {
        let change = monitor.withLock { state -> TeacherCircuit? in
            let isOtherTeacher = state.models.teacher !== models.teacher
            state.models = models
            state.generation += 1
            for (lane, routes) in routes { lane.state.routes = routes }
            return isOtherTeacher ? state.changeCircuit { $0.succeeded() } : nil
        }
        if let change { observer.circuitChanged(change) }
        wakeWorkers()
    }

    /// Allows several workers to run the teacher at once.
    func noteTeacherLoaded() {
        monitor.withLock { $0.teacherIsLoaded = true }
        wakeWorkers()
    }

    // MARK: Liveness

    /// Responds to a liveness check for this worker.
    func answerCall(_ worker: Int, _ state: inout State) {
        guard state.heard[worker] < state.call else { return }
        state.heard[worker] = state.call
        monitor.broadcast(Signal.heard)
    }

    /// Checks the liveness of all workers for at most `patience` nanoseconds. Returns the number of workers that did
    /// not respond.
    func callWorkers(patience: UInt64) -> Int {
        monitor.withLock { $0.call += 1 }
        wakeWorkers()
        let deadline = Monotonic.nanoseconds &+ patience
        let allHeard: Bool? = monitor.wait(on: Signal.heard, until: deadline) { state in
            state.heard.allSatisfy { $0 >= state.call } ? true : nil
        }
        if allHeard == true { return 0 }
        return monitor.withLock { state in state.heard.count { $0 < state.call } }
    }
}
