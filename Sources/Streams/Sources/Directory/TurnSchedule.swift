/// The turns of a source's files: of those that have data to read, in their order, and of those whose time comes.
final class TurnSchedule {
    private var ready: [TrackedFile] = []
    private var first = 0
    private var timers: [(due: UInt64, file: TrackedFile, isRetry: Bool)] = []

    /// Gives the file a turn after those that wait for theirs.
    func enqueue(_ file: TrackedFile) {
        guard !file.isQueued else { return }
        file.isQueued = true
        ready.append(file)
    }

    /// Removes and returns the file whose turn it is.
    func take() -> TrackedFile? {
        guard first < ready.count else { return nil }
        let file = ready[first]
        first += 1
        if first == ready.count || first >= 1024 {
            ready.removeFirst(first)
            first = 0
        }
        file.isQueued = false
        return file
    }

    /// Examines the file again at `due`, a time of the clock, even without an event. `isRetry`: a failed operation is
    /// tried again then.
    func wakeUp(_ file: TrackedFile, at due: UInt64, isRetry: Bool = false) {
        timers.append((due, file, isRetry))
    }

    /// When the next timer is due.
    var due: UInt64? { timers.map(\.due).min() }

    /// Whether a failed operation is due for its retry.
    func isRetryDue(at now: UInt64) -> Bool { timers.contains { $0.isRetry && $0.due <= now } }

    /// Removes and returns the files whose timer is due.
    func takeDue(at now: UInt64) -> [(file: TrackedFile, isRetry: Bool)] {
        guard !timers.isEmpty else { return [] }
        let due = timers.filter { $0.due <= now }.map { ($0.file, $0.isRetry) }
        if !due.isEmpty { timers.removeAll { $0.due <= now } }
        return due
    }
}
