/// Files of which nothing more comes, and those that take their place.
extension DirectoryReader {
    /// The inode has other content now: what was known of it ends, and it is read from its beginning.
    func beginAnew(_ file: TrackedFile, _ status: FileStatus) {
        let path = file.path
        let node = file.node
        // Made after an earlier run last saw a change: another file, which has only been given the inode.
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
            // The old one's turn by the clock would be nobody's.
            if case .settling(let due) = next.growth { wakeUp(next, at: due) }
        } else if next.path != next.followedAs {
            depart(next)
        }
        nodes[node] = next
        if let path { names[path] = next }
        enqueue(next)
    }

    /// Nothing more comes of the file. If a line of it is open, that has ended.
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

    /// The file is gone, or another has taken its inode.
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
