/// The files of a directory by their names and inodes, updated as names are examined.
final class FileTracker {
    private let settings: DirectorySource.Settings
    private let paths: WatchedPaths
    private let limits: DirectoryLimits
    private let ledger: Monitor<FileLedger>
    private let earlier: EarlierRuns
    private let resolver: NameResolver
    private let root: RootWatch
    private let looks: RetriedLooks
    private let turns: TurnSchedule
    private let growth: GrowthJudge
    private let output: FileOutput

    /// The files by their present names, and by device and inode.
    private var names: [String: TrackedFile] = [:]
    private var nodes: [FileStatus.Node: TrackedFile] = [:]
    private var generations = Generations()

    init(
        _ settings: DirectorySource.Settings, limits: DirectoryLimits, ledger: Monitor<FileLedger>,
        earlier: EarlierRuns, resolver: NameResolver, root: RootWatch, looks: RetriedLooks, turns: TurnSchedule,
        growth: GrowthJudge, output: FileOutput
    ) {
        self.settings = settings
        paths = WatchedPaths(settings)
        self.limits = limits
        self.ledger = ledger
        self.earlier = earlier
        self.resolver = resolver
        self.root = root
        self.looks = looks
        self.turns = turns
        self.growth = growth
        self.output = output
    }

    var isEmpty: Bool { names.isEmpty }

    func isKnown(_ path: String) -> Bool { names[path] != nil }

    /// Whether the file is still the one of its inode.
    func isCurrent(_ file: TrackedFile) -> Bool { nodes[file.node] === file }

    /// What a name leads to; nil if it is nothing that is read.
    func status(of path: String) throws(CannotTell) -> FileStatus? {
        try resolver.status(of: path, isKnown: isKnown(path))
    }

    // MARK: names

    /// Updates the state of a name. `found`: the status of the name's target, if it was read already.
    ///
    /// If the status can't be read, nothing changes and the name is examined again later.
    func note(_ path: String, _ occasion: NameOccasion, _ found: FileStatus? = nil) {
        do throws(CannotTell) {
            try take(path, occasion, found)
        } catch {
            looks.put(path, .name(occasion), error)
        }
    }

    /// Updates the names that a scan has found.
    func note(_ files: [DirectoryListing.Entry]) {
        for entry in inOrder(files) { note(entry.path, .scan, entry.status) }
    }

    /// After a write to a known file its name needn't be examined.
    func noteWrite(_ path: String) {
        if settings.mode == .tail, let file = names[path], !file.isBlocked {
            turns.enqueue(file)
        } else {
            note(path, .changed)
        }
    }

    /// Examines the names that a scan of the whole directory hasn't found.
    func noteAbsent(except found: DirectoryScanner.Found) {
        let present = Set(found.files.map(\.path))
        for (path, file) in names where !present.contains(path) && !found.unknown.contains(path) {
            do throws(CannotTell) {
                if try status(of: path) == nil { lose(file, path, .left) }
            } catch {
                looks.put(path, .name(.left), error)
            }
        }
    }

    /// A directory was moved away.
    func loseAll(below directory: String) {
        for (name, file) in names where name.hasPrefix(directory + "/") { lose(file, name, .left) }
    }

    /// The file couldn't be opened: its name leads to nothing.
    func noteAbsence(of file: TrackedFile) {
        if let path = file.path { lose(file, path, .left) } else { retireUnlessSettling(file) }
    }

    /// The file couldn't be opened: its name leads to another file.
    func noteReplacement(of file: TrackedFile) {
        if let path = file.path { note(path, .changed) } else { retireUnlessSettling(file) }
    }

    /// The file may not be read: it is skipped until its permissions change.
    func block(_ file: TrackedFile) {
        file.isBlocked = true
        guard let path = file.path else { return }
        do throws(CannotTell) {
            if let status = try status(of: path) { file.changed = status.changed }
        } catch {
            // With this change time the next examination finds a change.
            file.changed = 0
        }
    }

    /// Sorted by the time of the last change, then by name. A followed file that was renamed comes before the files
    /// that took its place.
    private func inOrder(_ files: [DirectoryListing.Entry]) -> [DirectoryListing.Entry] {
        let sorted = files.sorted { ($0.status.modified, $0.path) < ($1.status.modified, $1.path) }
        guard settings.mode == .tail else { return sorted }
        func isRenamed(_ entry: DirectoryListing.Entry) -> Bool {
            let known = nodes[entry.status.node]?.path ?? earlier.path(of: entry.status.node)
            return known.map { $0 != entry.path } ?? false
        }
        return sorted.filter(isRenamed) + sorted.filter { !isRenamed($0) }
    }

    private func take(_ path: String, _ occasion: NameOccasion, _ found: FileStatus?) throws(CannotTell) {
        let previous = names[path]
        var answer = found
        if answer == nil { answer = try status(of: path) }
        guard let status = answer, status.isRegular else {
            if let previous { lose(previous, path, occasion) }
            return
        }
        if let previous, previous.node != status.node {
            lose(previous, path, occasion == .deleted ? .deleted : .left)
        }
        // The creation of a link says nothing about writers of its target.
        let occasion = status.isLink && occasion.rank > 1 ? .scan : occasion
        guard let file = known(status) ?? meet(path, status, occasion) else { return }
        if status.isLink, file.target == nil { file.target = realPath(path) }
        if file.path != path { name(file, path) }
        growth.judge(file, status, occasion)
    }

    /// The known file of that inode, if it is still the same file.
    private func known(_ status: FileStatus) -> TrackedFile? {
        guard let file = nodes[status.node] else { return nil }
        if file.born == status.born { return file }
        retire(file)
        return nil
    }

    /// Handles a file that is found for the first time in this run; nil if this source doesn't read it.
    private func meet(_ path: String, _ status: FileStatus, _ occasion: NameOccasion) -> TrackedFile? {
        let checkpoint = earlier.take(status.node)
        if checkpoint == nil {
            guard paths.takes(path) else { return nil }
            if settings.mode == .files, !isWhole(status, occasion) { return nil }
        }
        let node = status.node
        let identity =
            checkpoint?.file
            ?? FileIdentity(device: node.device, inode: node.inode, generation: generations.next(for: node))
        let file = TrackedFile(
            identity: identity, path: checkpoint?.path ?? path, status: status, checkpoint: checkpoint)
        nodes[node] = file
        names[path] = file
        if settings.mode == .files {
            file.growth = .settled
        } else if checkpoint == nil, settings.start == .end, earlier.wasThere(path) {
            file.startsAtEnd = true
            file.size = status.size
        }
        return file
    }

    /// Whether a file that is read once may be read now. A new file has a writer, unless it is another name of an older
    /// file.
    private func isWhole(_ status: FileStatus, _ occasion: NameOccasion) -> Bool {
        switch occasion {
        case .scan, .closed, .arrived: true
        case .changed: status.links > 1
        case .deleted, .left: false
        }
    }

    /// Gives the file its new name.
    private func name(_ file: TrackedFile, _ path: String) {
        if let old = file.path, names[old] === file {
            if stillLeads(old, to: file) {
                // Another link to the file is not a rename.
                if names.updateValue(file, forKey: path) !== file { file.otherNames.append(path) }
                return
            }
            names[old] = nil
        }
        names[path] = file
        file.path = path
        ledger.withLock { ledger in ledger.update(file.identity) { $0.path = path } }
        if settings.mode == .tail, !file.isFinished { growth.depart(file) }
    }

    /// Removes a name of the file.
    private func lose(_ file: TrackedFile, _ path: String, _ occasion: NameOccasion) {
        if names[path] === file { names[path] = nil }
        file.otherNames.removeAll { $0 == path }
        guard file.path == path else { return }
        if let other = file.otherNames.first(where: { stillLeads($0, to: file) }) {
            return name(file, other)
        }
        file.path = nil
        if file.isBlocked {
            guard file.isEntered || file.checkpoint != nil else { return drop(file) }
            file.isBlocked = false
        }
        ledger.withLock { ledger in ledger.update(file.identity) { $0.path = nil } }
        if settings.mode == .tail, !file.isFinished {
            growth.depart(file)
            turns.enqueue(file)
        } else if occasion == .deleted || !file.isFinished {
            // An open file is read to its end; a closed one is lost.
            if file.isFinished { drop(file) } else { turns.enqueue(file) }
        } else {
            // The event of the new name may come later than the loss of the old one.
            turns.wakeUp(file, at: Monotonic.nanoseconds + limits.settleNanoseconds)
        }
    }

    /// Whether a name leads to the file. If that can't be determined, true until the name has been examined again.
    private func stillLeads(_ path: String, to file: TrackedFile) -> Bool {
        do throws(CannotTell) {
            return try status(of: path)?.node == file.node
        } catch {
            looks.put(path, .name(.left), error)
            return true
        }
    }

    // MARK: ends

    /// The file's timer is due.
    func noteDue(_ file: TrackedFile) {
        guard file.isFinished else { return growth.noteDue(file) }
        if file.path == nil, isCurrent(file), !awaitName(of: file) { drop(file) }
    }

    /// The end of the file was handed out.
    func noteFinished(_ file: TrackedFile) {
        if file.path == nil, !awaitName(of: file) { drop(file) }
    }

    /// A file without a name ends, unless the event of its new name may still come.
    private func retireUnlessSettling(_ file: TrackedFile) {
        if case .settling = file.growth { return }
        if !awaitName(of: file) { retire(file) }
    }

    /// Whether a file without a name waits until all names have been examined; then it gets another turn automatically.
    private func awaitName(of file: TrackedFile) -> Bool {
        // A name that couldn't be examined may be the file's.
        guard root.watchesAgain || !looks.isEmpty else {
            file.doubts = 0
            return false
        }
        file.doubts += 1
        turns.wakeUp(
            file, at: Monotonic.nanoseconds + limits.pause(after: file.doubts), isRetry: !file.isFinished)
        return true
    }

    /// The inode has new content: its old file ends, and the new content is read from its beginning.
    func beginAnew(_ file: TrackedFile, _ status: FileStatus) {
        let path = file.path
        let node = file.node
        // Created after the last change that an earlier run saw: another file, which reuses the inode.
        let isAnother = file.checkpoint.map { status.born == 0 || status.born > $0.modified } ?? false
        if isAnother, let path, !paths.takes(path) { return drop(file) }
        let identity = FileIdentity(
            device: file.identity.device, inode: file.identity.inode, generation: file.identity.generation + 1)
        retire(file, successor: isAnother ? nil : identity)
        let next = TrackedFile(
            identity: identity, path: file.lastPath, followedAs: isAnother ? nil : file.followedAs, status: status)
        next.path = path
        if settings.mode == .files {
            next.growth = file.growth
            // The settling timer belongs to the old file; the new one needs its own.
            if case .settling(let due) = next.growth { turns.wakeUp(next, at: due) }
        } else if next.path != next.followedAs {
            growth.depart(next)
        }
        nodes[node] = next
        if let path { names[path] = next }
        turns.enqueue(next)
    }

    /// Ends a file that yields no more data, and its open line.
    private func retire(_ file: TrackedFile, successor: FileIdentity? = nil) {
        output.end(file)
        drop(file, successor: successor)
    }

    /// Removes a file that was deleted, or whose inode another file has taken.
    private func drop(_ file: TrackedFile, successor: FileIdentity? = nil) {
        for path in file.otherNames + [file.lastPath] where names[path] === file { names[path] = nil }
        if nodes[file.node] === file {
            nodes[file.node] = nil
            generations.set(file.identity.generation + 1, for: file.node)
        }
        ledger.withLock { ledger in
            if file.isEntered || file.checkpoint != nil && successor != nil {
                ledger.markGone(file.identity, successor: successor)
            } else if file.checkpoint != nil {
                ledger.forget(file.identity)
            } else {
                ledger.release(file.identity)
            }
        }
    }

    /// The file was moved away from `path` or deleted there.
    func noteCleared(_ file: TrackedFile, _ path: String) {
        names[path] = nil
        nodes[file.node] = nil
        generations.set(file.identity.generation + 1, for: file.node)
        ledger.withLock { $0.forget(file.identity) }
    }

    /// The checkpoints of these files aren't needed any more.
    func forget(_ files: [FileIdentity]) {
        for file in files { ledger.withLock { $0.forget(file) } }
    }

    /// The files of earlier runs no longer exist.
    func noteMissing(_ checkpoints: [FileStatus.Node: FileCheckpoint]) {
        for (node, checkpoint) in checkpoints {
            generations.set(checkpoint.file.generation + 1, for: node)
            ledger.withLock { $0.forget(checkpoint.file) }
        }
    }
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
