import Diagnostics
import Glibc

/// The reader's side of a directory source: which files there are, whose turn it is, and what comes next.
///
/// Everything it does starts in `next`, on the reader's thread. What happens in the directory is noticed
/// (`+Noticing`) and makes files ready; ready files take turns; one is opened (`+Opening`) and read block by
/// block (`+Reading`, `+Archives`), until nothing more comes of it (`+Ending`).
final class DirectoryReader {
    let settings: DirectorySource.Settings
    let limits: DirectoryLimits
    let filter: NameFilter
    let ledger: Monitor<FileLedger>
    let calls: DirectoryCalls
    private let wake: Int32
    let report: @Sendable (UnderstudyError) -> Void

    /// nil while inotify can't watch.
    private(set) var watch: DirectoryWatch?
    /// Whether the directory is gone; nothing is known of its files until it is back.
    var isMissing = false
    /// The directory that was last found at the path.
    var root: FileStatus.Node?
    /// When the directory is looked at again as a whole, by the clock; nil: when something happens.
    private var nextLook: UInt64?
    /// Whether inotify failed for a reason that may pass: at the next look it is tried again.
    private var watchesAgain = false

    /// The files by their present names, and by what the file system calls them.
    var names: [String: TrackedFile] = [:]
    var nodes: [FileStatus.Node: TrackedFile] = [:]
    /// The names that are symbolic links, wherever they lead; when they are looked at again.
    var links: Set<String> = []
    private var nextLinkLook: UInt64?
    /// Whether it was said that one leads out of the directory.
    var hasLinkOutside = false
    /// What couldn't be looked at, to be looked at again.
    var again = LooksAgain()
    /// What earlier runs kept of files that haven't been met yet.
    var checkpoints: [FileStatus.Node: FileCheckpoint] = [:]
    var generations = Generations()
    var beginning: Beginning?
    /// Whether a directory may not be read, so that files that weren't met may still be there.
    var isPartlyUnseen = false

    private var ready = ReadyQueue()
    private var timers: [(due: UInt64, file: TrackedFile, isRetry: Bool)] = []
    /// Files that couldn't be moved or deleted, and when that is tried again.
    private var disposals: [(due: UInt64, attempts: Int, file: FileIdentity)] = []
    /// The file that is being read, and the one whose origin is open.
    var current: TrackedFile?
    var announced: TrackedFile?
    /// Events that are certain already.
    var events: [SourceEvent] = []
    /// What was reported, and when.
    private var reported: [String: UInt64] = [:]

    init(
        _ settings: DirectorySource.Settings, limits: DirectoryLimits, calls: DirectoryCalls, wake: Int32,
        ledger: Monitor<FileLedger>, report: @escaping @Sendable (UnderstudyError) -> Void
    ) {
        self.settings = settings
        self.limits = limits
        self.calls = calls
        self.wake = wake
        self.ledger = ledger
        self.report = report
        filter = NameFilter(include: settings.include, exclude: settings.exclude)
    }

    deinit { close(wake) }

    /// The next event; nil if there is none now.
    func next(into room: UnsafeMutableRawBufferPointer) -> SourceEvent? {
        while true {
            if ledger.withLock({ $0.isInterrupted }) { return .stopped }
            if !events.isEmpty { return events.removeFirst() }
            if let file = current {
                if let event = advance(file, into: room) { return event }
                if current === file { current = nil }
                continue
            }
            notice()
            guard let file = ready.take() else {
                if events.isEmpty { return nil }
                continue
            }
            current = file
        }
    }

    /// Sleeps until something may have happened.
    func wait() {
        var requests = [
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            pollfd(fd: watch?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        var timeout: Int32 = -1
        var due = [nextLook, links.isEmpty ? nil : nextLinkLook, again.due].compactMap { $0 }.min() ?? .max
        for timer in timers { due = min(due, timer.due) }
        for disposal in disposals { due = min(due, disposal.due) }
        if due < .max {
            let now = Self.now
            // Rounded up, so that it has come when the sleep ends.
            timeout = due <= now ? 0 : Int32(clamping: (due - now) / 1_000_000 + 1)
        }
        poll(&requests, 2, timeout)
        if requests[0].revents != 0 {
            var bytes: UInt64 = 0
            while read(wake, &bytes, 8) > 0 {}
        }
    }

    // MARK: turns

    func enqueue(_ file: TrackedFile) {
        guard !file.isQueued else { return }
        ready.put(file)
    }

    /// Others have their turn first where files grow; elsewhere one file after the other is read.
    func passOn(_ file: TrackedFile) {
        guard settings.mode == .tail else { return }
        current = nil
        enqueue(file)
    }

    /// The file has its turn at `due` even if nothing happens to it.
    func wakeUp(_ file: TrackedFile, at due: UInt64) {
        timers.append((due, file, false))
    }

    /// The files whose time has come. `isRetry`: something failed and is tried again.
    func takeDue() -> [(file: TrackedFile, isRetry: Bool)] {
        guard !timers.isEmpty else { return [] }
        let now = Self.now
        let due = timers.filter { $0.due <= now }.map { ($0.file, $0.isRetry) }
        if !due.isEmpty { timers.removeAll { $0.due <= now } }
        return due
    }

    // MARK: failures

    /// Whether something failed and is tried again now.
    var isRetrying: Bool {
        let now = Self.now
        return watchesAgain || (again.due ?? .max) <= now || disposals.contains { $0.due <= now }
            || timers.contains { $0.isRetry && $0.due <= now }
    }

    /// Whether there may be names that couldn't be looked at. A file that has lost its name may have one of them.
    private var isInDoubt: Bool { watchesAgain || !again.isEmpty }

    /// Whether a file without a name waits until it is certain that it has none; then it has its turn again by itself.
    func awaitName(of file: TrackedFile) -> Bool {
        guard isInDoubt else {
            file.doubts = 0
            return false
        }
        file.doubts += 1
        timers.append((Self.now + limits.pause(after: file.doubts), file, !file.isFinished))
        return true
    }

    /// A system call failed on the file: after a pause it has its turn again, as it is.
    func retry(_ file: TrackedFile, _ why: CannotTell, _ what: String = "read") {
        file.failures += 1
        timers.append((Self.now + limits.pause(after: file.failures), file, true))
        reportOnce(
            UnderstudyError(
                .inputOutput, "the file can't be \(what): \(why.reason); it is tried again", at: file.lastPath))
    }

    /// A look at a name or a directory failed: it is looked at again after a pause.
    func lookAgain(_ path: String, _ what: LooksAgain.What, _ why: CannotTell) {
        again.put(path, what, now: Self.now, limits)
        reportOnce(UnderstudyError(.inputOutput, "this can't be looked at: \(why.reason); it is tried again", at: path))
    }

    /// The file has its turn again after a pause though no system call failed: it changed while it was looked into.
    func turnSoon(_ file: TrackedFile) {
        timers.append((Self.now + limits.pause(after: 1), file, true))
    }

    /// A file of an earlier run couldn't be cleared away.
    func clearLater(_ file: TrackedFile) {
        file.disposals += 1
        timers.append((Self.now + limits.disposalPause(after: file.disposals), file, true))
    }

    /// Clears away again what the committer, or the last try, couldn't.
    func disposeAgain() {
        let now = Self.now
        for file in ledger.withLock({ $0.takeUndisposed() }) {
            disposals.append((now + limits.disposalPause(after: 1), 1, file))
        }
        guard !disposals.isEmpty else { return }
        let due = disposals.filter { $0.due <= now }
        disposals.removeAll { $0.due <= now }
        for disposal in due {
            guard let entry = ledger.withLock({ $0.entries[disposal.file] }), let path = entry.path, !entry.isGone,
                entry.isFinished, entry.isCommitted
            else { continue }
            switch FileDisposal(settings, calls).clear(path, node: entry.node, size: entry.size, report: reportOnce) {
            case .cleared: forget(disposal.file)
            case .kept: break
            case .failed:
                let attempts = disposal.attempts + 1
                disposals.append((now + limits.disposalPause(after: attempts), attempts, disposal.file))
            }
        }
    }

    // MARK: watching

    func startWatching() {
        watchesAgain = false
        watch = DirectoryWatch(modifications: settings.mode == .tail, calls: calls)
        guard let watch else { return watchInstead("user_instances", errno) }
        // Where its parent can't be watched, the directory is looked for now and then.
        nextLook = watch.addAncestors(of: settings.path) ? nil : Self.now + pollNanoseconds
    }

    /// The limits of inotify are reached: the directory is looked at now and then.
    func watchInstead(_ limit: String, _ number: Int32) {
        watch = nil
        nextLook = Self.now + pollNanoseconds
        reportOnce(
            UnderstudyError(
                .tryAgain,
                "inotify can't watch (\(String(cString: strerror(number)))); raise fs.inotify.max_\(limit) with sysctl."
                    + " Until the next start the directory is looked at every \(settings.pollSeconds) s",
                at: settings.path))
    }

    /// inotify failed: the directory is looked at, and watched anew, after a pause.
    func watchAgain(_ why: CannotTell) {
        watch = nil
        watchesAgain = true
        nextLook = Self.now + min(pollNanoseconds, limits.retryNanoseconds)
        reportOnce(
            UnderstudyError(.inputOutput, "inotify can't be read: \(why.reason); it is tried again", at: settings.path))
    }

    /// The directory is gone; it is looked for until it is back.
    func stopWatching() {
        guard !isMissing else { return }
        isMissing = true
        root = nil
        startWatching()
        nextLook = Self.now + pollNanoseconds
        report(
            UnderstudyError(
                .missingInput, "the directory has gone or can't be read any more; it is looked for until it is back",
                at: settings.path))
    }

    /// Whether it is time to look at the directory as a whole.
    func takeLook() -> Bool {
        guard let due = nextLook, due <= Self.now else { return false }
        nextLook = Self.now + pollNanoseconds
        if watchesAgain { startWatching() }
        return true
    }

    /// Whether it is time to look at the symbolic links.
    func takeLinkLook() -> Bool {
        let now = Self.now
        guard !links.isEmpty else {
            nextLinkLook = nil
            return false
        }
        guard let due = nextLinkLook, due > now else {
            defer { nextLinkLook = now + pollNanoseconds }
            return nextLinkLook != nil
        }
        return false
    }

    private var pollNanoseconds: UInt64 { UInt64(max(0.001, settings.pollSeconds) * 1e9) }

    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Reports unless the same was reported within the last hour.
    func reportOnce(_ error: UnderstudyError) {
        let now = Self.now
        let text = error.description
        if let last = reported[text], now - last < Self.reportPause { return }
        if reported.count >= Self.mostReported { reported = [:] }
        reported[text] = now
        report(error)
    }

    private static let reportPause: UInt64 = 3_600_000_000_000
    /// A bound for the memory that reports take.
    private static let mostReported = 4096
}
