/// Ends files that yield no more data, and starts their successors.
extension DirectoryReader {
    /// The inode has new content: its old file ends, and the new content is read from its beginning.
    func beginAnew(_ file: TrackedFile, _ status: FileStatus) {
        let path = file.path
        let node = file.node
        // Created after the last change that an earlier run saw: another file, which reuses the inode.
        let isAnother = file.checkpoint.map { status.born == 0 || status.born > $0.modified } ?? false
        if isAnother, let path, !filter.takes(relative(path)) { return drop(file) }
        let identity = FileIdentity(
            device: file.identity.device, inode: file.identity.inode, generation: file.identity.generation + 1)
        retire(file, successor: isAnother ? nil : identity)
        let next = TrackedFile(
            identity: identity, path: file.lastPath, followedAs: isAnother ? nil : file.followedAs, status: status)
        next.path = path
        if settings.mode == .files {
            next.growth = file.growth
            // The settling timer belongs to the old file; the new one needs its own.
            if case .settling(let due) = next.growth { wakeUp(next, at: due) }
        } else if next.path != next.followedAs {
            depart(next)
        }
        nodes[node] = next
        if let path { names[path] = next }
        enqueue(next)
    }

    /// Ends a file that yields no more data, and its open line.
    func retire(_ file: TrackedFile, successor: FileIdentity? = nil) {
        if file.isEntered, !file.isFinished {
            if announced !== file { events.append(.opened(file.origin(of: settings.name))) }
            announced = nil
            file.isFinished = true
            events.append(.finished)
            ledger.withLock { ledger in
                ledger.update(file.identity) {
                    $0.isFinished = true
                    $0.isCommitted = false
                }
            }
        }
        drop(file, successor: successor)
    }

    /// Removes a file that was deleted, or whose inode another file has taken.
    func drop(_ file: TrackedFile, successor: FileIdentity? = nil) {
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

    func forget(_ file: FileIdentity) {
        ledger.withLock { $0.forget(file) }
    }
}
