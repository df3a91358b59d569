import Cascade
import Configuration
import Diagnostics
import Logging
import Store
import Streams

/// The end of single sources, and the stop of the daemon.
extension DaemonWork {
    // MARK: Ended sources

    /// Closes the lanes of sources that have ended.
    func collectEnded() {
        let over = runners.filter(\.hasEnded)
        for runner in over {
            let ending = runner.close()
            keepUnfinished(runner, ending)
            if makeDurable() { outlet.remove(runner.source) }
            if let failure = ending?.failure {
                failureOfLastSource = failure
                daemon.log.report(
                    failure, what: "source \(runner.settings.name) failed",
                    metadata: ["source": "\(runner.settings.name)"])
                daemon.phases.note(warning: "source \(runner.settings.name) has failed: \(failure.message)")
            } else {
                daemon.log.info(
                    "source ended: \(runner.settings.name) has been read to its end",
                    metadata: ["source": "\(runner.settings.name)"])
            }
        }
        runners.removeAll { runner in over.contains { $0 === runner } }
        leaving.removeAll { runner in over.contains { $0 === runner } }
        startDelayed()
    }

    /// Waits without a time limit until everything delivered is durable. Returns false if the daemon is stopped before.
    func makeDurable() -> Bool {
        while !outlet.flush(until: Monotonic.nanoseconds &+ 1_000_000_000) {
            if daemon.control.isStopping { return false }
        }
        return true
    }

    // MARK: Stop

    /// Stops reading, answers the lines already read, commits, and ends all threads.
    ///
    /// Throws `tryAgain` if the time limit is exceeded. Unanswered lines of watched files and spooled streams are left
    /// to the next run; those of other streams are lost.
    func drain() throws(UnderstudyError) {
        let manager = daemon.surroundings.manager
        let allowed = UInt64(settings.shutdown.drainSeconds) * 1_000_000_000
        // If no commit is possible before a restart, waiting is useless.
        let deadline = Monotonic.nanoseconds &+ (outlet.isHopeless ? 0 : allowed)
        store.limitPatience(until: deadline)
        for runner in runners { runner.interrupt() }
        var isComplete = true
        for runner in runners {
            while !runner.wait(until: min(deadline, Monotonic.nanoseconds &+ 1_000_000_000)) {
                guard Monotonic.nanoseconds < deadline else { break }
                manager.extendTimeout(by: .seconds(10))
            }
            isComplete = isComplete && runner.hasEnded
        }
        if !isComplete { abandonAll() }
        for runner in runners { keepUnfinished(runner, runner.close()) }
        engine.stop()
        engine.join()
        if committerThread != nil, !outlet.flush(until: max(deadline, Monotonic.nanoseconds &+ 1_000_000_000)) {
            isComplete = false
            outlet.giveUp()
        }
        outlet.stop()
        committerThread?.join()
        // Without this mark the next start treats data after the committed lengths as uncommitted answers.
        if isComplete { try? store.settleSinks() }
        watchdog?.stop()
        endpoint?.stop()
        link?.stop()
        shadowLink?.stop()
        try store.close()
        guard isComplete else {
            throw UnderstudyError(
                .tryAgain,
                "lines that had been read were not answered within shutdown.drain_seconds"
                    + " (\(settings.shutdown.drainSeconds)): a sink, the teacher or the state is stuck")
        }
    }

    private func abandonAll() {
        for wired in sinks.wired { wired.target.interrupt() }
        outlet.giveUp()
        for runner in runners { runner.abandon() }
    }

    func keepUnfinished(_ runner: SourceRunner, _ ending: LaneEnding?) {
        guard let ending, !ending.unfinished.isEmpty, runner.isStream else { return }
        do throws(UnderstudyError) {
            try UnfinishedLine.keep(ending.unfinished, of: runner.settings.name, in: sources.stateDirectory)
        } catch {
            daemon.log.report(error, what: "unfinished line not kept")
        }
    }
}
