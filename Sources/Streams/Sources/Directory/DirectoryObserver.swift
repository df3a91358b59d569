import Diagnostics
import Glibc

/// Notices the changes of a directory, with inotify, scans and retries, and passes each name on to the tracker.
final class DirectoryObserver {
    private let settings: DirectorySource.Settings
    private let paths: WatchedPaths
    private let calls: DirectoryCalls
    private let earlier: EarlierRuns
    private let root: RootWatch
    private let resolver: NameResolver
    private let scanner: DirectoryScanner
    private let looks: RetriedLooks
    private let tracker: FileTracker
    private let output: FileOutput
    private let reports: DirectoryReports

    init(
        _ settings: DirectorySource.Settings, calls: DirectoryCalls, earlier: EarlierRuns, root: RootWatch,
        resolver: NameResolver, looks: RetriedLooks, tracker: FileTracker, output: FileOutput,
        reports: DirectoryReports
    ) {
        self.settings = settings
        paths = WatchedPaths(settings)
        self.calls = calls
        self.earlier = earlier
        self.root = root
        self.resolver = resolver
        scanner = DirectoryScanner(
            settings, calls: calls, root: root, resolver: resolver, looks: looks, reports: reports)
        self.looks = looks
        self.tracker = tracker
        self.output = output
        self.reports = reports
    }

    /// inotify's descriptor; -1 while it can't be used.
    var descriptor: Int32 { root.descriptor }

    /// When there is something to examine even without an event.
    var due: UInt64? { [root.nextLook, resolver.due, looks.due].compactMap { $0 }.min() }

    /// Whether a failed operation awaits its retry.
    func isRetryDue(at now: UInt64) -> Bool { root.watchesAgain || (looks.due ?? .max) <= now }

    // MARK: the first examination

    /// Watches, then scans, so that no change is missed in between. What can't be examined now is examined again later,
    /// and no checkpoint is removed before everything has been examined.
    func begin() throws(UnderstudyError) {
        if case .move(let directory) = settings.after, directory == settings.path {
            throw UnderstudyError(
                .configuration, "files can't be moved into the directory that they are read from", at: directory)
        }
        let status: FileStatus?
        do throws(CannotTell) {
            status = try rootStatus()
        } catch {
            if error.isForbidden {
                throw UnderstudyError(
                    .noPermission, "the directory can't be read: \(error.reason)", at: settings.path)
            }
            return looks.put(settings.path, .root, error)
        }
        guard let status, status.isDirectory else {
            let why = CannotTell(number: status == nil ? ENOENT : ENOTDIR)
            throw UnderstudyError(.missingInput, "the directory can't be watched: \(why.reason)", at: settings.path)
        }
        if access(settings.path, R_OK | X_OK) != 0, errno == EACCES {
            throw UnderstudyError(
                .noPermission, "the directory can't be read: \(String(cString: strerror(EACCES)))", at: settings.path)
        }
        begin(status)
    }

    private func begin(_ status: FileStatus) {
        do throws(CannotTell) {
            tracker.forget(try earlier.load(on: status.node.device))
        } catch {
            return looks.put(settings.path, .root, error)
        }
        earlier.beginScan(status)
        root.begin(status.node)
        scan()
        earlier.endScan(unseen: looks.paths)
        endBeginning()
    }

    /// Once everything has been examined, removes the checkpoints of files that don't exist.
    private func endBeginning() {
        guard let status = earlier.examined, looks.isEmpty, !root.isMissing else { return }
        earlier.end()
        if !scanner.isPartlyUnseen { tracker.noteMissing(earlier.takeMissing(on: status.node.device)) }
        if earlier.isFirstStart, settings.mode == .tail, settings.start == .end, tracker.isEmpty {
            output.handOutDirectory(settings.path, status)
        }
    }

    private func rootStatus() throws(CannotTell) -> FileStatus? {
        try FileStatus(path: settings.path + "/.", follows: true, calls)
    }

    // MARK: events

    /// Processes all pending events and due retries; doesn't wait.
    func notice() {
        let changes = root.takeChanges()
        if let changes, !root.isMissing { notice(changes) }
        let isBlind = !root.isWatching
        if changes?.hasMoved == true || root.isMissing && root.takeLook() {
            lookAtRoot()
        } else if !root.isMissing, root.takeLook() {
            if isBlind { scan() } else { lookAtRoot() }
        }
        for path in resolver.takeDue(at: Monotonic.nanoseconds) { tracker.note(path, .scan) }
        lookAgain()
    }

    private func notice(_ changes: DirectoryWatch.Changes) {
        for change in changes.list {
            let path = change.directory + "/" + change.name
            if change.isDirectory {
                notice(change, ofDirectory: path)
                continue
            }
            switch change.kind {
            case .closed: tracker.note(path, .closed)
            case .arrived: tracker.note(path, .arrived)
            case .changed: tracker.noteWrite(path)
            case .deleted: tracker.note(path, .deleted)
            case .left: tracker.note(path, .left)
            }
        }
        if let failure = changes.failure { root.watchAgain(failure) }
        if changes.lost.contains(settings.path) {
            lookAtRoot(isLost: true)
        } else if changes.isEverything || !changes.lost.isEmpty {
            scan()
        }
    }

    private func notice(_ change: DirectoryWatch.Change, ofDirectory path: String) {
        guard settings.recursive else { return }
        switch change.kind {
        case .left:
            root.remove(path)
            tracker.loseAll(below: path)
        case .deleted:
            // The kernel keeps the directory, and its watch, while a file that was in it is open.
            root.remove(path)
        case .changed, .arrived, .closed:
            if paths.takesDirectory(path), root.lacks(path) { scan(below: path) }
        }
    }

    // MARK: scans

    /// Examines every name: at the start, and after changes that inotify didn't report.
    private func scan() {
        let found = scanner.scan(settings.path, isKnown: tracker.isKnown)
        guard !root.isMissing else { return }
        tracker.note(found.files)
        if found.isWhole { tracker.noteAbsent(except: found) }
    }

    /// Examines a new directory.
    private func scan(below directory: String) {
        tracker.note(scanner.scan(directory, isKnown: tracker.isKnown).files)
    }

    /// Checks whether the directory exists and is still the same. `isLost`: its watch has ended.
    ///
    /// Returns whether it is the same as before, in which case nothing in it was examined.
    @discardableResult
    private func lookAtRoot(isLost: Bool = false) -> Bool {
        let status: FileStatus?
        do throws(CannotTell) {
            status = try rootStatus()
        } catch {
            if isLost { root.noteUnknown() }
            looks.put(settings.path, .root, error)
            return false
        }
        guard let status, status.isDirectory else {
            root.noteAbsent()
            return false
        }
        if earlier.isWaiting {
            begin(status)
            return false
        }
        guard root.noteFound(status.node, isLost: isLost) else { return true }
        scan()
        return false
    }

    /// Examines again what couldn't be examined, as far as its retry is due.
    private func lookAgain() {
        guard !looks.isEmpty else { return }
        for look in looks.due(at: Monotonic.nanoseconds) {
            switch look.what {
            case .name(let occasion): tracker.note(look.path, occasion)
            case .directory: if look.path == settings.path { scan() } else { scan(below: look.path) }
            // An earlier scan of its content may have failed as well.
            case .root: if lookAtRoot() { scan() }
            }
            looks.settle(look.path, after: look.failures)
        }
        endBeginning()
    }
}
