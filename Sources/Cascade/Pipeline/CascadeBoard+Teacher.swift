import Diagnostics
import Streams

/// When the teacher is asked, and when it's left alone.
extension CascadeBoard {
    /// What a worker does with lines that it has taken for the teacher.
    enum Admission {
        case askNow
        /// The teacher isn't to be asked before a time, in nanoseconds, unless there are other models by then.
        case later(until: UInt64, generation: Int)
        case skip
    }

    /// Whether lines wait until a teacher that doesn't work comes back. A filter's lines don't: nobody looks after it.
    /// Nor do those of a teacher that has been replaced: it won't come back.
    func awaitsReturn(of teacher: TeacherSource?) -> Bool {
        options.teacherThreads > 0 && !studentMayAnswer && monitor.withLock { $0.models.teacher === teacher }
    }

    /// How many more lines the teacher's queue takes, how many of sure ones, and whether there is no hope for now.
    ///
    /// Of sure ones as many as a pass holds may wait, however many others do: an audit that is left out whenever the
    /// teacher is busy would say nothing about busy hours, and there may be no others.
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

    /// Waits a moment for a pass that isn't full, if more lines may come.
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

    /// Whether the circuit lets a pass through.
    ///
    /// The circuit is that of the teacher in force: lines that began with another one are asked about at once.
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

    /// Waits until the teacher may be asked again, or nobody wants to.
    func awaitTeacher(until deadline: UInt64, generation: Int, worker: Int) {
        let _: Bool? = monitor.wait(on: Signal.teacherWork, until: deadline) { state in
            answerCall(worker, &state)
            let hasChanged = state.generation != generation || state.circuit.state == .closed
            return hasChanged || state.deferred.isEmpty ? true : nil
        }
    }

    /// Puts lines back at the front of the queue. Returns the lines of the queue that don't have to have the teacher.
    func putBack(_ lines: [DeferredLine]) -> [DeferredLine] {
        monitor.withLock { state in
            let all = lines.filter { $0.ticket == $0.job.ticket && !$0.isAbandoned } + state.deferred
            state.deferred = all.filter { !$0.isAudit }
            return all.filter(\.isAudit)
        }
    }

    /// How a pass went.
    enum PassOutcome {
        case failed
        /// The teacher has just been loaded, and its lines were gone by then.
        case loaded
        case answered
    }

    /// Takes note of how a pass of `teacher` over so many lines went, for the circuit and the observer. One that has
    /// answered none says nothing of the teacher.
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

    /// Puts `models` in force, and for each of the lanes its new routes. Another teacher begins with a clean slate.
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

    /// From now on several workers may go to the teacher at once.
    func noteTeacherLoaded() {
        monitor.withLock { $0.teacherIsLoaded = true }
        wakeWorkers()
    }

    // MARK: Signs of life

    /// Lets whoever has called know that this worker still comes by.
    func answerCall(_ worker: Int, _ state: inout State) {
        guard state.heard[worker] < state.call else { return }
        state.heard[worker] = state.call
        monitor.broadcast(Signal.heard)
    }

    /// Calls all workers and waits until each has come by, at most for `patience` nanoseconds; the number of those that
    /// haven't.
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
