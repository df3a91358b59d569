import Diagnostics
import Glibc

/// Handles the events of the directory.
extension DirectoryReader {
    /// Why a name is examined.
    enum Occasion {
        /// It was found in a scan of the whole directory; it may still have a writer.
        case scan
        /// A writer has closed it.
        case closed
        /// It was renamed to this name, so it is complete.
        case arrived
        /// It was created or written to, or its permissions changed.
        case changed
        /// It was removed, or moved away and perhaps only renamed.
        case deleted, left

        /// How much information the occasion gives about an existing file.
        var rank: Int {
            switch self {
            case .scan: 0
            case .deleted, .left: 1
            case .changed: 2
            case .closed, .arrived: 3
            }
        }
    }

    /// Processes all pending events; doesn't wait.
    func notice() {
        // Events are processed before timers: they may include the new name of a file, without which the file would be
        // taken for deleted.
        defer {
            for (file, isRetry) in takeDue() {
                if isRetry { enqueue(file) } else { settle(file) }
            }
        }
        let changes = watch?.take()
        if let changes, !isMissing { notice(changes) }
        let isBlind = watch == nil
        if changes?.hasMoved == true || isMissing && takeLook() {
            lookAtRoot()
        } else if !isMissing, takeLook() {
            if isBlind { scan() } else { lookAtRoot() }
        }
        if takeLinkLook() {
            for path in links.sorted() { note(path, .scan) }
        }
        lookAgainNow()
        disposeAgain()
    }

    private func notice(_ changes: DirectoryWatch.Changes) {
        for change in changes.list {
            let path = change.directory + "/" + change.name
            if change.isDirectory {
                notice(change, ofDirectory: path)
                continue
            }
            switch change.kind {
            case .closed: note(path, .closed)
            case .arrived: note(path, .arrived)
            case .changed: noteChange(path)
            case .deleted: note(path, .deleted)
            case .left: note(path, .left)
            }
        }
        if let failure = changes.failure { watchAgain(failure) }
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
            watch?.remove(path)
            for (name, file) in names where name.hasPrefix(path + "/") { lose(file, name, .left) }
        case .deleted:
            // The kernel keeps the directory, and its watch, while a file that was in it is open.
            watch?.remove(path)
        case .changed, .arrived, .closed:
            if takesDirectory(path), watch?.isWatching(path) == false { look(below: path) }
        }
    }

    /// After a write to a known file its name needn't be examined.
    private func noteChange(_ path: String) {
        if settings.mode == .tail, let file = names[path], !file.isBlocked {
            enqueue(file)
        } else {
            note(path, .changed)
        }
    }

    // MARK: names

    /// Updates the state of a name. `found`: the status of the name's target, if it was read already.
    ///
    /// If the status can't be read, nothing changes and the name is examined again later.
    func note(_ path: String, _ occasion: Occasion, _ found: FileStatus? = nil) {
        do throws(CannotTell) {
            try take(path, occasion, found)
        } catch {
            lookAgain(path, .name(occasion), error)
        }
    }

    private func take(_ path: String, _ occasion: Occasion, _ found: FileStatus?) throws(CannotTell) {
        let previous = names[path]
        var answer = found
        if answer == nil { answer = try leadsTo(path) }
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
        if status.isLink, file.target == nil { file.target = Self.realPath(path) }
        if file.path != path { name(file, path) }
        judge(file, status, occasion)
    }

    /// The known file of that inode, if it is still the same file.
    private func known(_ status: FileStatus) -> TrackedFile? {
        guard let file = nodes[status.node] else { return nil }
        if file.born == status.born { return file }
        retire(file)
        return nil
    }

    /// Handles a file that is found for the first time in this run; nil if this source doesn't read it.
    private func meet(_ path: String, _ status: FileStatus, _ occasion: Occasion) -> TrackedFile? {
        let checkpoint = checkpoints.removeValue(forKey: status.node)
        if checkpoint == nil {
            guard filter.takes(relative(path)) else { return nil }
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
        } else if checkpoint == nil, settings.start == .end, beginning?.wasThere(path) == true {
            file.startsAtEnd = true
            file.size = status.size
        }
        return file
    }

    /// Whether a file that is read once may be read now. A new file has a writer, unless it is another name of an older
    /// file.
    private func isWhole(_ status: FileStatus, _ occasion: Occasion) -> Bool {
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
        if settings.mode == .tail, !file.isFinished { depart(file) }
    }

    /// Removes a name of the file.
    func lose(_ file: TrackedFile, _ path: String, _ occasion: Occasion) {
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
            depart(file)
            enqueue(file)
        } else if occasion == .deleted || !file.isFinished {
            // An open file is read to its end; a closed one is lost.
            if file.isFinished { drop(file) } else { enqueue(file) }
        } else {
            // The event of the new name may come later than the loss of the old one.
            wakeUp(file, at: Self.now + limits.settleNanoseconds)
        }
    }

    /// A followed file has lost its name: its writer will continue only for a limited time.
    func depart(_ file: TrackedFile) {
        guard !file.isSettled else { return }
        let due = Self.now + limits.settleNanoseconds
        file.growth = .settling(until: due)
        wakeUp(file, at: due)
    }

    /// The file's timer is due.
    private func settle(_ file: TrackedFile) {
        if file.isFinished {
            if file.path == nil, nodes[file.node] === file, !awaitName(of: file) { drop(file) }
            return
        }
        guard case .settling(let due) = file.growth else { return enqueue(file) }
        if due > Self.now {
            wakeUp(file, at: due)
        } else {
            file.growth = .settled
            enqueue(file)
        }
    }

    // MARK: turns

    /// Decides whether the file has data to read.
    private func judge(_ file: TrackedFile, _ status: FileStatus, _ occasion: Occasion) {
        if file.isBlocked {
            guard occasion != .scan || file.changed != status.changed else { return }
            file.isBlocked = false
        }
        switch settings.mode {
        case .tail:
            // A file that was renamed and then closed no longer has a writer.
            if case .settling = file.growth, occasion == .closed { file.growth = .settled }
            if occasion == .scan, isUnchanged(file, status), file.isFinished || file.hasNothingLeft { return }
        case .files:
            if occasion == .closed || occasion == .arrived { file.growth = .settled }
            if occasion == .changed, file.isEntered { return }
            if occasion == .scan {
                let isDone = file.isFinished && isUnchanged(file, status)
                if isDone, !isLeftOver(file) { return }
                if !isDone { judgeAge(file, status) }
            }
        }
        enqueue(file)
    }

    private func isUnchanged(_ file: TrackedFile, _ status: FileStatus) -> Bool {
        file.size == status.size && file.modified == status.modified
    }

    /// A file that was found in a scan may still have a writer if it changed recently.
    private func judgeAge(_ file: TrackedFile, _ status: FileStatus) {
        guard let age = status.age, age < limits.settleNanoseconds else {
            file.growth = .settled
            return
        }
        let due = Self.now + limits.settleNanoseconds - age
        file.growth = .settling(until: due)
        wakeUp(file, at: due)
    }
}
