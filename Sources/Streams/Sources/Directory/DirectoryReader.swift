import Diagnostics
import Glibc

/// The reader's side of a directory source: it tracks the files, their turns, and the next event.
///
/// All work starts in `next`, on the reader's thread. Events of the directory are processed (`+Noticing`) and make
/// files ready; ready files take turns; a file is opened (`+Opening`) and read block by block (`+Reading`, `+Archives`)
/// until it yields no more data (`+Ending`).
final class DirectoryReader {
    let settings: DirectorySource.Settings
    let limits: DirectoryLimits
    let filter: NameFilter
    let ledger: Monitor<FileLedger>
    let calls: DirectoryCalls
    private let wake: Int32
    let report: @Sendable (UnderstudyError) -> Void

    /// nil while inotify can't be used.
    private(set) var watch: DirectoryWatch?
    /// Whether the directory was removed; nothing is known of its files until it returns.
    var isMissing = false
    /// The directory last found at the path.
    var root: FileStatus.Node?
    /// The time of the next scan of the whole directory, by the clock; nil: only after an event.
    private var nextLook: UInt64?
    /// Whether inotify failed for a reason that may be temporary: it is tried again at the next scan.
    private var watchesAgain = false

    /// The files by their present names, and by device and inode.
    var names: [String: TrackedFile] = [:]
    var nodes: [FileStatus.Node: TrackedFile] = [:]
    /// The names that are symbolic links to anything; when they are examined again.
    var links: Set<String> = []
    private var nextLinkLook: UInt64?
    /// Whether a link that leads out of the directory was reported.
    var hasLinkOutside = false
    /// What couldn't be examined, for retries.
    var again = LooksAgain()
    /// The checkpoints of earlier runs whose files haven't been found yet.
    var checkpoints: [FileStatus.Node: FileCheckpoint] = [:]
    var generations = Generations()
    var beginning: Beginning?
    /// Whether a directory isn't readable, so that files that weren't found may still exist.
    var isPartlyUnseen = false

    private var ready = ReadyQueue()
    private var timers: [(due: UInt64, file: TrackedFile, isRetry: Bool)] = []
    /// Files that couldn't be moved or deleted, and the time of the next attempt.
    private var disposals: [(due: UInt64, attempts: Int, file: FileIdentity)] = []
    /// The file that is being read, and the file whose origin is open.
    var current: TrackedFile?
    var announced: TrackedFile?
    /// Events that are ready to be returned.
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

    /// Sleeps until there may be an event.
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
            // Rounded up, so that the timer is due when the sleep ends.
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

    /// Growing files yield to others after a turn; otherwise files are read one after another.
    func passOn(_ file: TrackedFile) {
        guard settings.mode == .tail else { return }
        current = nil
        enqueue(file)
    }

    /// Gives the file a turn at `due` even without an event.
    func wakeUp(_ file: TrackedFile, at due: UInt64) {
        timers.append((due, file, false))
    }

    /// Removes and returns the files whose timer is due. `isRetry`: a failed operation is tried again.
    func takeDue() -> [(file: TrackedFile, isRetry: Bool)] {
        guard !timers.isEmpty else { return [] }
        let now = Self.now
        let due = timers.filter { $0.due <= now }.map { ($0.file, $0.isRetry) }
        if !due.isEmpty { timers.removeAll { $0.due <= now } }
        return due
    }

    // MARK: failures

    /// Whether a failed operation awaits its retry.
    var isRetrying: Bool {
        let now = Self.now
        return watchesAgain || (again.due ?? .max) <= now || disposals.contains { $0.due <= now }
            || timers.contains { $0.isRetry && $0.due <= now }
    }

    /// Whether there may be names that couldn't be examined. A file that has lost its name may have one of them.
    private var isInDoubt: Bool { watchesAgain || !again.isEmpty }

    /// Whether a file without a name waits until all names have been examined; then it gets another turn automatically.
    func awaitName(of file: TrackedFile) -> Bool {
        guard isInDoubt else {
            file.doubts = 0
            return false
        }
        file.doubts += 1
        timers.append((Self.now + limits.pause(after: file.doubts), file, !file.isFinished))
        return true
    }

    /// A system call on the file failed: it gets another turn after a pause, unchanged.
    func retry(_ file: TrackedFile, _ why: CannotTell, _ what: String = "read") {
        file.failures += 1
        timers.append((Self.now + limits.pause(after: file.failures), file, true))
        reportOnce(
            UnderstudyError(
                .inputOutput, "the file can't be \(what): \(why.reason); it is tried again", at: file.lastPath))
    }

    /// The examination of a name or a directory failed: it is repeated after a pause.
    func lookAgain(_ path: String, _ what: LooksAgain.What, _ why: CannotTell) {
        again.put(path, what, now: Self.now, limits)
        reportOnce(UnderstudyError(.inputOutput, "this can't be looked at: \(why.reason); it is tried again", at: path))
    }

    /// The file gets another turn after a pause though no system call failed: it changed while it was examined.
    func turnSoon(_ file: TrackedFile) {
        timers.append((Self.now + limits.pause(after: 1), file, true))
    }

    /// A file of an earlier run couldn't be moved or deleted; it is retried later.
    func clearLater(_ file: TrackedFile) {
        file.disposals += 1
        timers.append((Self.now + limits.disposalPause(after: file.disposals), file, true))
    }

    /// Retries moving or deleting files for which the committer, or the last attempt, failed.
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
        // If its parent can't be watched, the directory is polled.
        nextLook = watch.addAncestors(of: settings.path) ? nil : Self.now + pollNanoseconds
    }

    /// The limits of inotify are reached: the directory is polled.
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

    /// inotify failed: after a pause the directory is scanned and watched anew.
    func watchAgain(_ why: CannotTell) {
        watch = nil
        watchesAgain = true
        nextLook = Self.now + min(pollNanoseconds, limits.retryNanoseconds)
        reportOnce(
            UnderstudyError(.inputOutput, "inotify can't be read: \(why.reason); it is tried again", at: settings.path))
    }

    /// The directory was removed; it is polled for until it returns.
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

    /// Whether the next scan of the whole directory is due.
    func takeLook() -> Bool {
        guard let due = nextLook, due <= Self.now else { return false }
        nextLook = Self.now + pollNanoseconds
        if watchesAgain { startWatching() }
        return true
    }

    /// Whether the next examination of the symbolic links is due.
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

    /// Reports `error` unless the same was reported within the last hour.
    func reportOnce(_ error: UnderstudyError) {
        let now = Self.now
        let text = error.description
        if let last = reported[text], now - last < Self.reportPause { return }
        if reported.count >= Self.mostReported { reported = [:] }
        reported[text] = now
        report(error)
    }

    private static let reportPause: UInt64 = 3_600_000_000_000
    /// Bounds the memory of the reported errors.
    private static let mostReported = 4096
}

/// How often the inodes of removed files have been begun anew; kept for the last few thousand, since file systems reuse
/// inodes soon.
struct Generations {
    private static let limit = 8192

    private var numbers: [FileStatus.Node: UInt64] = [:]
    private var order: [FileStatus.Node] = []

    /// Sets the generation of the next file of that inode.
    mutating func set(_ generation: UInt64, for node: FileStatus.Node) {
        if numbers.updateValue(generation, forKey: node) == nil { order.append(node) }
        guard order.count > Self.limit else { return }
        for old in order.prefix(Self.limit / 2) { numbers[old] = nil }
        order.removeFirst(Self.limit / 2)
    }

    func next(for node: FileStatus.Node) -> UInt64 { numbers[node] ?? 0 }
}

/// The files that have data to read, in the order of their turns.
struct ReadyQueue {
    private var files: [TrackedFile] = []
    private var first = 0

    /// Appends a file, which must not be in the queue.
    mutating func put(_ file: TrackedFile) {
        file.isQueued = true
        files.append(file)
    }

    mutating func take() -> TrackedFile? {
        guard first < files.count else { return nil }
        let file = files[first]
        first += 1
        if first == files.count || first >= 1024 {
            files.removeFirst(first)
            first = 0
        }
        file.isQueued = false
        return file
    }
}

/// Names and directories that couldn't be examined, and when they are examined again.
struct LooksAgain {
    enum What: Equatable {
        /// One name, with the event that had occurred.
        case name(DirectoryReader.Occasion)
        /// The whole content of the directory.
        case directory
        /// Whether the watched directory exists.
        case root

        /// The more comprehensive of two examinations.
        fileprivate func joined(_ other: What) -> What {
            switch (self, other) {
            case (.name(let one), .name(let another)): .name(one.rank >= another.rank ? one : another)
            case (.name, _): other
            case (.directory, .root): other
            default: self
            }
        }
    }

    private struct Entry {
        var what: What
        var due: UInt64
        var failures: Int
    }

    private var entries: [String: Entry] = [:]

    var isEmpty: Bool { entries.isEmpty }
    /// When the next examination is due.
    var due: UInt64? { entries.values.map(\.due).min() }
    var paths: [String] { Array(entries.keys) }

    mutating func put(_ path: String, _ what: What, now: UInt64, _ limits: DirectoryLimits) {
        var entry = entries[path] ?? Entry(what: what, due: 0, failures: 0)
        entry.what = entry.what.joined(what)
        entry.failures += 1
        entry.due = now + limits.pause(after: entry.failures)
        entries[path] = entry
    }

    /// Those that are due. An entry that isn't `put` again before `settle` has been resolved.
    func due(at now: UInt64) -> [(path: String, what: What, failures: Int)] {
        if entries.isEmpty { return [] }
        return entries.filter { $0.value.due <= now }.map { ($0.key, $0.value.what, $0.value.failures) }
            .sorted { $0.0 < $1.0 }
    }

    /// The examination that `failures` belongs to was made: unless it failed again, its entry is removed.
    mutating func settle(_ path: String, after failures: Int) {
        if entries[path]?.failures == failures { entries[path] = nil }
    }
}
