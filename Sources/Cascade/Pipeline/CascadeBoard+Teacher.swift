import Diagnostics
import Streams

/// When the teacher is asked, and when it's left alone.
extension CascadeBoard {
    /// What a worker does with lines that it has taken for the teacher.
    enum Admission {
        case askNow
        case putBack
        case skip
    }

    /// Whether lines wait until a teacher that doesn't work comes back. A filter's lines don't: nobody looks after it.
    var teacherFailureBlocks: Bool { options.teacherThreads > 0 && options.whenTeacherFull == .block }

    /// How many more lines the teacher's queue takes, how many of sure ones, and whether there is no hope for now.
    func teacherRoom(now: UInt64) -> (lines: Int, audits: Int, isBroken: Bool) {
        monitor.withLock { state in
            let waiting = state.deferred.count
            return (
                max(0, options.teacherQueueLines - waiting), max(0, options.teacherLines - waiting),
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

    /// Whether the circuit lets a pass through. Where lines are to wait for a broken teacher, the waiting is done here.
    func admitTeacher(worker: Int) -> Admission {
        if options.teacherThreads == 0 { return .askNow }
        let now = Monotonic.nanoseconds
        let (admits, until, generation) = monitor.withLock { state in
            let admits = state.circuit.admits(at: now)
            var until = now &+ options.teacherRetry
            if case .open(let end) = state.circuit.state { until = end }
            return (admits, until, state.generation)
        }
        if admits { return .askNow }
        if studentMayAnswer { return .skip }
        _ = monitor.wait(on: Signal.teacherWork, until: until) { state in
            answerCall(worker, &state)
            return state.generation != generation ? true : nil
        }
        return .putBack
    }

    /// Puts the lines back at the front of the queue.
    func putBack(_ lines: [DeferredLine]) {
        monitor.withLock { state in
            state.deferred.insert(contentsOf: lines.filter { $0.ticket == $0.job.ticket }, at: 0)
            state.deferred.removeAll { $0.job.lane?.state.isAbandoned ?? true }
        }
    }

    /// Takes note of how a pass went, for the circuit and the observer.
    func noteTeacher(failed: Bool, time: UInt64, lines: Int) {
        if lines > 0 { observer.teacherPassed(lines: lines, nanoseconds: time) }
        guard options.teacherThreads > 0 else { return }
        let isSlow = studentMayAnswer && time > options.teacherTimeout
        let now = Monotonic.nanoseconds
        let change = monitor.withLock { state -> TeacherCircuit? in
            let before = state.circuit
            if failed || isSlow { state.circuit.failed(at: now) } else { state.circuit.succeeded() }
            return before == state.circuit ? nil : state.circuit
        }
        if let change {
            observer.circuitChanged(change)
            monitor.broadcast(Signal.teacherWork)
        }
    }

    /// From now on several workers may go to the teacher at once.
    func noteTeacherLoaded() {
        monitor.withLock { $0.teacherIsLoaded = true }
        wakeWorkers()
    }

    // MARK: Signs of life

    /// Lets whoever has called know that this worker still comes by.
    func answerCall(_ worker: Int, _ state: inout State) {
        guard state.heard[worker] != state.call else { return }
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
            state.heard.allSatisfy { $0 == state.call } ? true : nil
        }
        if allHeard == true { return 0 }
        return monitor.withLock { state in state.heard.count { $0 != state.call } }
    }
}
