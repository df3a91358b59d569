import CFiles
import Diagnostics
import Glibc

/// The reader's side of a directory source: the loop that gives files their turns and returns the next event.
///
/// All work starts in `next`, on the reader's thread. The observer passes names on to the tracker, which puts files in
/// the schedule; the file whose turn it is is opened and read block by block until it yields no more data.
final class DirectoryReader {
    private let settings: DirectorySource.Settings
    private let limits: DirectoryLimits
    private let ledger: Monitor<FileLedger>
    private let wake: Int32

    private let observer: DirectoryObserver
    private let tracker: FileTracker
    private let growth: GrowthJudge
    private let turns = TurnSchedule()
    private let opener: FileOpener
    private let files: FileReader
    private let archives: ArchiveReader
    private let output: FileOutput
    private let disposals: RetriedDisposals
    private let reports: DirectoryReports
    /// The file whose turn it is.
    private var current: TrackedFile?

    /// `wake`: a pipe's end for reading; it is closed with the reader.
    init(
        _ settings: DirectorySource.Settings, checkpoints: [FileCheckpoint], limits: DirectoryLimits,
        calls: DirectoryCalls, wake: Int32, ledger: Monitor<FileLedger>,
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) {
        self.settings = settings
        self.limits = limits
        self.ledger = ledger
        self.wake = wake
        reports = DirectoryReports(report)
        output = FileOutput(source: settings.name, ledger: ledger)

        let earlier = EarlierRuns(checkpoints, directory: settings.path, calls: calls)
        let root = RootWatch(settings, limits: limits, calls: calls, reports: reports)
        let resolver = NameResolver(settings, calls: calls, reports: reports)
        let looks = RetriedLooks(limits: limits, reports: reports)
        growth = GrowthJudge(settings, limits: limits, turns: turns)
        tracker = FileTracker(
            settings, limits: limits, ledger: ledger, earlier: earlier, resolver: resolver, root: root, looks: looks,
            turns: turns, growth: growth, output: output)
        observer = DirectoryObserver(
            settings, calls: calls, earlier: earlier, root: root, resolver: resolver, looks: looks, tracker: tracker,
            output: output, reports: reports)

        let detector = ContentDetector(settings, reports: reports)
        opener = FileOpener(settings, calls: calls, ledger: ledger, detector: detector)
        files = FileReader(settings, limits: limits, output: output, reports: reports)
        archives = ArchiveReader(settings, detector: detector, output: output, reports: reports)
        disposals = RetriedDisposals(settings, limits: limits, calls: calls, ledger: ledger, reports: reports)
    }

    deinit { close(wake) }

    /// Examines the directory for the first time.
    func begin() throws(UnderstudyError) { try observer.begin() }

    /// The next event; nil if there is none now.
    func next(into room: UnsafeMutableRawBufferPointer) -> SourceEvent? {
        while true {
            if output.isInterrupted { return .stopped }
            if let event = output.takeEvent() { return event }
            if let file = current {
                if let event = advance(file, into: room) { return event }
                current = nil
                continue
            }
            notice()
            guard let file = turns.take() else {
                if !output.hasEvents { return nil }
                continue
            }
            current = file
        }
    }

    private func notice() {
        observer.notice()
        disposals.retry()
        // Events are processed before timers: they may include the new name of a file, without which the file would be
        // taken for deleted.
        for (file, isRetry) in turns.takeDue(at: Monotonic.nanoseconds) {
            if isRetry { turns.enqueue(file) } else { tracker.noteDue(file) }
        }
    }

    /// Sleeps until there may be an event.
    func wait() {
        var requests = [
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            pollfd(fd: observer.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        var timeout: Int32 = -1
        if let due = [observer.due, turns.due, disposals.due].compactMap({ $0 }).min() {
            let now = Monotonic.nanoseconds
            // Rounded up, so that the timer is due when the sleep ends.
            timeout = due <= now ? 0 : Int32(clamping: (due - now) / 1_000_000 + 1)
        }
        poll(&requests, 2, timeout)
        if requests[0].revents != 0 {
            var bytes: UInt64 = 0
            while read(wake, &bytes, 8) > 0 {}
        }
    }

    /// Whether a failed operation awaits its retry.
    var isRetrying: Bool {
        let now = Monotonic.nanoseconds
        return observer.isRetryDue(at: now) || (disposals.due ?? .max) <= now || turns.isRetryDue(at: now)
    }

    // MARK: one file's turn

    /// The next event of the file; nil if there is none now.
    private func advance(_ file: TrackedFile, into room: UnsafeMutableRawBufferPointer) -> SourceEvent? {
        do throws(CannotTell) {
            let outcome = try turn(file, room)
            file.failures = 0
            switch outcome {
            case .nothing:
                return nil
            case .event(let event):
                if file.isFinished { tracker.noteFinished(file) }
                return event
            case .lastEvent(let event):
                // Growing files yield to others after a turn; otherwise files are read one after another.
                if settings.mode == .tail {
                    current = nil
                    turns.enqueue(file)
                }
                return event
            case .changed(let status):
                tracker.beginAnew(file, status)
                return nil
            }
        } catch {
            fail(file, error)
            return nil
        }
    }

    private func turn(_ file: TrackedFile, _ room: UnsafeMutableRawBufferPointer) throws(CannotTell) -> TurnOutcome {
        guard !file.isBlocked, tracker.isCurrent(file) else { return .nothing }
        if file.isFinished {
            guard try hasGrown(file) else { return .nothing }
            growth.goOn(file)
        }
        guard let open = try open(file), !file.isFinished else { return .nothing }
        if file.packing == .plain { return try files.read(file, open, into: room) }
        // An archive that is still being written can't be told from a truncated one.
        return file.isSettled ? .event(try archives.read(file, open, into: room)) : .nothing
    }

    private func open(_ file: TrackedFile) throws(CannotTell) -> OpenFile? {
        switch try opener.open(file) {
        case .opened(let open): return open
        case .unread: break
        case .absent: tracker.noteAbsence(of: file)
        case .elsewhere: tracker.noteReplacement(of: file)
        case .changed(let status): tracker.beginAnew(file, status)
        case .changing: tryAgain(file, after: limits.pause(after: 1))
        case .forbidden(let why):
            tracker.block(file)
            reports(
                UnderstudyError(
                    .missingInput, "the file can't be opened: \(why.reason); it is retried when it changes",
                    at: file.lastPath))
        case .noDescriptor(let why):
            // Others will be closed soon.
            turns.wakeUp(file, at: Monotonic.nanoseconds + 1_000_000_000)
            reports(
                UnderstudyError(
                    .tryAgain, "files can't be opened: \(why.reason); raise LimitNOFILE", at: settings.path))
        }
        return nil
    }

    /// Whether a finished file holds more than was read.
    private func hasGrown(_ file: TrackedFile) throws(CannotTell) -> Bool {
        if let path = file.path, let status = try tracker.status(of: path), status.node == file.node,
            status.size == file.size, status.modified == file.modified
        {
            clearAway(file)
            return false
        }
        // An earlier check of an open descriptor proves nothing about later writes.
        ledger.withLock { $0.letGo(file.identity) }
        guard let open = try open(file) else { return false }
        let status = try FileStatus(open)
        if status.size != file.size { return true }
        file.note(status)
        ledger.withLock { ledger in ledger.update(file.identity) { $0.modified = status.modified } }
        clearAway(file)
        return false
    }

    /// Moves or deletes a file that an earlier run had answered but not cleared away.
    private func clearAway(_ file: TrackedFile) {
        guard growth.isLeftOver(file), let path = file.path else { return }
        switch disposals.clear(path, node: file.node, size: file.size) {
        case .kept: break
        case .cleared: tracker.noteCleared(file, path)
        case .failed:
            file.disposals += 1
            tryAgain(file, after: limits.disposalPause(after: file.disposals))
        }
    }

    // MARK: failures

    /// A system call on the file failed: the open line is read again from its start after a pause.
    private func fail(_ file: TrackedFile, _ why: CannotTell) {
        file.failures += 1
        tryAgain(file, after: limits.pause(after: file.failures))
        reports(
            UnderstudyError(
                .inputOutput, "the file can't be read: \(why.reason); retrying", at: file.lastPath))
        output.close(file)
        file.goBackAfterFailure()
        output.noteOffset(file)
        // A stale descriptor of a network file system can't be used any more.
        if why.number == ESTALE, file.path != nil { ledger.withLock { $0.letGo(file.identity) } }
    }

    private func tryAgain(_ file: TrackedFile, after pause: UInt64) {
        turns.wakeUp(file, at: Monotonic.nanoseconds + pause, isRetry: true)
    }
}
