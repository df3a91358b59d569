import Configuration
import Diagnostics
import Logging
import Streams

/// Sources that start and end with a reload.
extension DaemonWork {
    /// Sources to start.
    struct Opened {
        var ready: [(SourceSettings, any StreamSource)] = []
        /// Sources whose name or path is still used by a source that is ending.
        var delayed: [SourceSettings] = []
    }

    func open(_ wanted: [SourceSettings]) throws(UnderstudyError) -> Opened {
        var opened = Opened()
        for source in wanted {
            if isInUse(source) {
                opened.delayed.append(source)
            } else {
                opened.ready.append((source, try sources.make(source)))
            }
        }
        return opened
    }

    func isInUse(_ source: SourceSettings) -> Bool {
        leaving.contains { runner in
            runner.settings.name == source.name || runner.settings.readsWhere(source)
        }
    }

    /// Starts the delayed sources that are no longer blocked.
    func startDelayed() {
        let ready = delayed.filter { !isInUse($0) }
        delayed.removeAll { ready.contains($0) }
        for source in ready { start(source) }
    }

    private func start(_ source: SourceSettings) {
        do throws(UnderstudyError) {
            try run(source, try sources.make(source))
        } catch {
            daemon.log.report(
                error, what: "source \(source.name) not started", metadata: ["source": "\(source.name)"])
            daemon.phases.note(warning: "source \(source.name) has failed: \(error.message)")
        }
    }

    /// Ends sources that the new settings omit or change, after their lines are answered. Returns the sources that it
    /// has told to end.
    ///
    /// A source whose lines a sink doesn't take in time ends later by itself, so that none of its lines is lost and the
    /// others continue. Throws `tryAgain` if the daemon is stopped before.
    func retire(_ names: [String]) throws(UnderstudyError) -> [SourceRunner] {
        let retired = runners.filter { runner in
            names.contains(runner.settings.name) && !leaving.contains { $0 === runner }
        }
        for runner in retired { runner.interrupt() }
        let allowed = UInt64(settings.shutdown.drainSeconds) * 1_000_000_000
        let deadline = Monotonic.nanoseconds &+ allowed
        var ended: [SourceRunner] = []
        for runner in retired {
            guard runner.wait(until: deadline) else {
                daemon.log.warning(
                    "source still in use: a source that was to end has lines that a sink doesn't take; it ends when they are taken",
                    metadata: ["source": "\(runner.settings.name)"])
                leaving.append(runner)
                continue
            }
            keepUnfinished(runner, runner.close())
            ended.append(runner)
        }
        guard !ended.isEmpty else { return retired }
        guard makeDurable() else {
            throw UnderstudyError(.tryAgain, "the daemon was stopped before its new settings took effect")
        }
        for runner in ended { outlet.remove(runner.source) }
        runners.removeAll { runner in ended.contains { $0 === runner } }
        return retired
    }
}
