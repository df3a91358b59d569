import Diagnostics
import Glibc

/// Looking at the directory as a whole.
extension DirectoryReader {
    /// The checkpoints of earlier runs: of an inode that was begun anew, the last one counts.
    func takeUp(_ kept: [FileCheckpoint], on device: UInt64) {
        let devices = renumbered(kept, on: device)
        for checkpoint in kept.sorted(by: { $0.file.generation < $1.file.generation }) {
            let node = FileStatus.Node(
                device: devices[checkpoint.file.device] ?? checkpoint.file.device, inode: checkpoint.file.inode)
            if let older = checkpoints.updateValue(checkpoint, forKey: node) { forget(older.file) }
        }
    }

    /// The present numbers of devices that had others when the checkpoints were made: some file systems get theirs when
    /// they are mounted.
    private func renumbered(_ kept: [FileCheckpoint], on device: UInt64) -> [UInt64: UInt64] {
        var devices: [UInt64: UInt64] = [:]
        guard !kept.contains(where: { $0.file.device == device }) else { return devices }
        for checkpoint in kept where devices[checkpoint.file.device] == nil {
            guard let node = FileStatus(path: checkpoint.path)?.node, node.inode == checkpoint.file.inode else {
                continue
            }
            devices[checkpoint.file.device] = node.device
        }
        return devices
    }

    /// Looks at every name: at the start, and after changes that nobody told of.
    func scan() {
        var listing = Found()
        look(settings.path, &listing)
        guard !isMissing else { return }
        let present = Set(listing.files.map(\.path))
        for entry in inOrder(listing.files) { note(entry.path, .scan, entry.status) }
        guard listing.isWhole else { return }
        for (path, file) in names where !present.contains(path) && FileStatus(path: path) == nil {
            lose(file, path, .left)
        }
    }

    /// A directory that has come to be.
    func look(below directory: String) {
        var listing = Found()
        look(directory, &listing)
        for entry in inOrder(listing.files) { note(entry.path, .scan, entry.status) }
    }

    /// Files of earlier runs that weren't met by the first scan are gone, unless they are on another file system:
    /// that may only be not mounted yet.
    func forgetCheckpoints(on device: UInt64) {
        for (node, checkpoint) in checkpoints where node.device == device && !isPartlyUnseen {
            checkpoints[node] = nil
            generations.set(checkpoint.file.generation + 1, for: node)
            forget(checkpoint.file)
        }
    }

    /// Tells a source without files that it has been started, so that its next start isn't its first.
    func leaveMark(_ status: FileStatus) {
        let identity = FileIdentity(device: status.node.device, inode: status.node.inode)
        let entry = FileLedger.Entry(
            path: settings.path, followedAs: settings.path, node: status.node, born: status.born, isArchive: true,
            open: nil, offset: 0, mark: 0, size: 0, modified: 0, isFinished: true)
        ledger.withLock { $0.insert(entry, for: identity) }
        events.append(.opened(SourceOrigin(source: settings.name, path: settings.path, file: identity)))
        events.append(.finished)
    }

    /// Whether files below `path` are taken.
    func takesDirectory(_ path: String) -> Bool {
        if case .move(let done) = settings.after, path == done { return false }
        return !NameFilter.isHidden(relative(path))
    }

    /// `path` as patterns see it.
    func relative(_ path: String) -> String { String(path.dropFirst(settings.path.count + 1)) }

    private struct Found {
        var files: [DirectoryListing.Entry] = []
        /// Whether every directory could be read.
        var isWhole = true
    }

    /// Watches `top` and what is below it before looking into it.
    private func look(_ top: String, _ found: inout Found) {
        var directories = [top]
        while let directory = directories.popLast() {
            if let watch {
                switch watch.add(directory) {
                case .added, .unreachable: break
                case .full(let number): watchInstead("user_watches", number)
                }
            }
            guard let listing = DirectoryListing(of: directory) else {
                let number = errno
                found.isWhole = false
                if directory == settings.path {
                    stopWatching()
                } else if number != ENOENT {
                    isPartlyUnseen = true
                    reportOnce(
                        UnderstudyError(
                            .missingInput, "the directory can't be read: \(String(cString: strerror(number)))",
                            at: directory))
                }
                continue
            }
            if listing.hasUnreadableName {
                reportOnce(
                    UnderstudyError(
                        .invalidData, "a name in this directory isn't UTF-8; rename it to have it read", at: directory))
            }
            found.files += listing.files
            if settings.recursive { directories += listing.directories.filter(takesDirectory) }
        }
    }

    /// By the time of the last change, then by name. A followed file that was renamed comes before those that took
    /// its place.
    private func inOrder(_ files: [DirectoryListing.Entry]) -> [DirectoryListing.Entry] {
        let sorted = files.sorted { ($0.status.modified, $0.path) < ($1.status.modified, $1.path) }
        guard settings.mode == .tail else { return sorted }
        func isRenamed(_ entry: DirectoryListing.Entry) -> Bool {
            let known = nodes[entry.status.node]?.path ?? checkpoints[entry.status.node]?.path
            return known.map { $0 != entry.path } ?? false
        }
        return sorted.filter(isRenamed) + sorted.filter { !isRenamed($0) }
    }
}
