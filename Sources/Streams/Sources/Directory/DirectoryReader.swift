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

    /// nil while inotify can't watch, or there is nothing to watch.
    private(set) var watch: DirectoryWatch?
    /// Whether the directory is gone; nothing is known of its files until it is back.
    var isMissing = false
    /// When the directory is looked at again as a whole, by the clock; nil: when something happens.
    private var nextLook: UInt64?

    /// The files by their present names, and by what the file system calls them.
    var names: [String: TrackedFile] = [:]
    var nodes: [FileStatus.Node: TrackedFile] = [:]
    /// What earlier runs kept of files that haven't been met yet.
    var checkpoints: [FileStatus.Node: FileCheckpoint] = [:]
    var generations = Generations()
    var isFirstStart = false
    /// Whether a directory couldn't be read, so that files that weren't met may still be there.
    var isPartlyUnseen = false

    private var ready = ReadyQueue()
    private var timers: [(due: UInt64, file: TrackedFile)] = []
    /// The file that is being read, and the one whose origin is open.
    var current: TrackedFile?
    var announced: TrackedFile?
    /// Events that are certain already.
    var events: [SourceEvent] = []
    private var reported: Set<String> = []

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

    /// Watches, then scans, so that nothing is lost between the two.
    func begin(_ kept: [FileCheckpoint]) throws(UnderstudyError) {
        if case .move(let directory) = settings.after, directory == settings.path {
            throw UnderstudyError(
                .configuration, "files can't be moved into the directory that they are read from", at: directory)
        }
        guard let status = FileStatus(path: settings.path + "/."), status.isDirectory else {
            throw UnderstudyError(
                .missingInput, "the directory can't be watched: \(String(cString: strerror(errno)))", at: settings.path)
        }
        guard access(settings.path, R_OK | X_OK) == 0 else {
            throw UnderstudyError(
                .missingInput, "the directory can't be read: \(String(cString: strerror(errno)))", at: settings.path)
        }
        isFirstStart = kept.isEmpty
        takeUp(kept.filter { $0.path != settings.path }, on: status.node.device)
        startWatching()
        scan()
        forgetCheckpoints(on: status.node.device)
        if isFirstStart, settings.mode == .tail, settings.start == .end, names.isEmpty { leaveMark(status) }
        isFirstStart = false
    }

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
        if let due = ([nextLook].compactMap { $0 } + timers.map(\.due)).min() {
            let now = Self.now
            // Rounded up, so that it has come when the sleep ends.
            timeout = due <= now ? 0 : Int32(clamping: (due - now) / 1_000_000 + 1)
        }
        poll(&requests, 2, timeout)
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
        timers.append((due, file))
    }

    /// The files whose time has come.
    func takeDue() -> [TrackedFile] {
        guard !timers.isEmpty else { return [] }
        let now = Self.now
        let due = timers.filter { $0.due <= now }.map(\.file)
        if !due.isEmpty { timers.removeAll { $0.due <= now } }
        return due
    }

    // MARK: watching

    func startWatching() {
        watch = DirectoryWatch(modifications: settings.mode == .tail, calls: calls)
        if watch == nil { watchInstead("user_instances", errno) }
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

    /// The directory is gone; it is looked for now and then.
    func stopWatching() {
        isMissing = true
        watch = nil
        nextLook = Self.now + pollNanoseconds
        report(
            UnderstudyError(
                .missingInput, "the directory has gone or can't be read any more; it is looked for until it is back",
                at: settings.path))
    }

    /// The directory is back.
    func goOnWatching() {
        isMissing = false
        nextLook = nil
        startWatching()
    }

    /// Whether it is time to look at the directory as a whole.
    func takeLook() -> Bool {
        guard let due = nextLook, due <= Self.now else { return false }
        nextLook = Self.now + pollNanoseconds
        return true
    }

    private var pollNanoseconds: UInt64 { UInt64(max(0.001, settings.pollSeconds) * 1e9) }

    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Reports unless the same was reported before.
    func reportOnce(_ error: UnderstudyError) {
        guard reported.insert(error.description).inserted else { return }
        report(error)
    }
}
