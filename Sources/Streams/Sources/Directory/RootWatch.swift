import Diagnostics
import Glibc

/// Whether the source's directory exists, and how its changes are noticed: with inotify or, where that fails, by scans
/// at intervals.
final class RootWatch {
    private let settings: DirectorySource.Settings
    private let limits: DirectoryLimits
    private let calls: DirectoryCalls
    private let reports: DirectoryReports

    /// nil while inotify can't be used.
    private var watch: DirectoryWatch?
    /// Whether inotify failed for a reason that may be temporary: it is tried again at the next scan.
    private(set) var watchesAgain = false
    /// Whether the directory was removed; nothing is known of its files until it returns.
    private(set) var isMissing = false
    /// The directory last found at the path.
    private var node: FileStatus.Node?
    /// The time of the next scan of the whole directory, by the clock; nil: only after an event.
    private(set) var nextLook: UInt64?

    init(
        _ settings: DirectorySource.Settings, limits: DirectoryLimits, calls: DirectoryCalls,
        reports: DirectoryReports
    ) {
        self.settings = settings
        self.limits = limits
        self.calls = calls
        self.reports = reports
    }

    /// inotify's descriptor; -1 while it can't be used.
    var descriptor: Int32 { watch?.descriptor ?? -1 }

    var isWatching: Bool { watch != nil }

    /// The changes since the last call; nil while inotify can't be used.
    func takeChanges() -> DirectoryWatch.Changes? { watch?.take() }

    // MARK: the directory itself

    /// The directory is examined for the first time.
    func begin(_ node: FileStatus.Node) {
        self.node = node
        startWatching()
    }

    /// There is a directory at the path. `isLost`: the watch of the last one has ended.
    ///
    /// Returns whether it must be scanned; false if it is the same as before.
    func noteFound(_ node: FileStatus.Node, isLost: Bool) -> Bool {
        if isMissing || isLost {
            isMissing = false
            startWatching()
        } else {
            _ = watch?.addAncestors(of: settings.path)
            if self.node == node { return false }
        }
        self.node = node
        return true
    }

    /// Its watch has ended, and what is at the path can't be determined.
    func noteUnknown() { node = nil }

    /// There is no directory at the path.
    func noteAbsent() {
        if isMissing { _ = watch?.addAncestors(of: settings.path) } else { noteMissing() }
    }

    /// The directory was removed; it is polled for until it returns.
    func noteMissing() {
        guard !isMissing else { return }
        isMissing = true
        node = nil
        startWatching()
        nextLook = Monotonic.nanoseconds + settings.pollNanoseconds
        reports.always(
            UnderstudyError(
                .missingInput, "the directory was removed or can't be read any more; waiting for it to return",
                at: settings.path))
    }

    /// Whether the next scan of the whole directory is due.
    func takeLook() -> Bool {
        guard let due = nextLook, due <= Monotonic.nanoseconds else { return false }
        nextLook = Monotonic.nanoseconds + settings.pollNanoseconds
        if watchesAgain { startWatching() }
        return true
    }

    // MARK: watches

    /// Watches a directory, unless it is watched already. Returns the reason why that must be tried again.
    func add(_ directory: String) -> CannotTell? {
        switch watch?.add(directory) {
        case nil, .added, .absent: return nil
        case .full(let number):
            pollInstead("user_watches", number)
            return nil
        case .unknown(let why): return why
        }
    }

    /// Ends the watches of a directory and of all below it.
    func remove(_ directory: String) { watch?.remove(directory) }

    /// Whether inotify works, and doesn't watch the directory.
    func lacks(_ directory: String) -> Bool { watch?.isWatching(directory) == false }

    /// inotify failed: after a pause the directory is scanned and watched anew.
    func watchAgain(_ why: CannotTell) {
        watch = nil
        watchesAgain = true
        nextLook = Monotonic.nanoseconds + min(settings.pollNanoseconds, limits.retryNanoseconds)
        reports(
            UnderstudyError(.inputOutput, "inotify can't be read: \(why.reason); retrying", at: settings.path))
    }

    private func startWatching() {
        watchesAgain = false
        watch = DirectoryWatch(modifications: settings.mode == .tail, calls: calls)
        guard let watch else { return pollInstead("user_instances", errno) }
        // If its parent can't be watched, the directory is polled.
        nextLook = watch.addAncestors(of: settings.path) ? nil : Monotonic.nanoseconds + settings.pollNanoseconds
    }

    /// The limits of inotify are reached: the directory is polled.
    private func pollInstead(_ limit: String, _ number: Int32) {
        watch = nil
        nextLook = Monotonic.nanoseconds + settings.pollNanoseconds
        reports(
            UnderstudyError(
                .tryAgain,
                "inotify can't watch (\(String(cString: strerror(number)))); raise fs.inotify.max_\(limit) with sysctl."
                    + " Until the next start the directory is scanned every \(settings.pollSeconds) s",
                at: settings.path))
    }
}
