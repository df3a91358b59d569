import Diagnostics
import Glibc

/// The state at a source's start: the checkpoints of earlier runs, and the first look at the directory.
struct Beginning {
    var kept: [FileCheckpoint]
    /// Whether there were no checkpoints: existing files may then start at their end.
    var isFirst: Bool
    /// The directory's status at the first look; nil before that.
    var status: FileStatus?
    var isScanning = false
    /// The paths that couldn't be examined at the first look.
    var unseen: [String] = []

    /// Whether a file that is found now existed at the very first start.
    func wasThere(_ path: String) -> Bool {
        guard isFirst else { return false }
        return isScanning || unseen.contains { path == $0 || path.hasPrefix($0 + "/") }
    }
}

extension DirectoryReader {
    /// Watches, then scans, so that no change is missed in between. What can't be examined now is examined again later,
    /// and no checkpoint is removed before everything has been examined.
    func begin(_ kept: [FileCheckpoint]) throws(UnderstudyError) {
        if case .move(let directory) = settings.after, directory == settings.path {
            throw UnderstudyError(
                .configuration, "files can't be moved into the directory that they are read from", at: directory)
        }
        let beginning = Beginning(kept: kept.filter { $0.path != settings.path }, isFirst: kept.isEmpty)
        self.beginning = beginning
        let status: FileStatus?
        do throws(CannotTell) {
            status = try FileStatus(path: settings.path + "/.", follows: true, calls)
        } catch {
            if error.isForbidden {
                throw UnderstudyError(
                    .noPermission, "the directory can't be read: \(error.reason)", at: settings.path)
            }
            return lookAgain(settings.path, .root, error)
        }
        guard let status, status.isDirectory else {
            let why = CannotTell(number: status == nil ? ENOENT : ENOTDIR)
            throw UnderstudyError(.missingInput, "the directory can't be watched: \(why.reason)", at: settings.path)
        }
        if access(settings.path, R_OK | X_OK) != 0, errno == EACCES {
            throw UnderstudyError(
                .noPermission, "the directory can't be read: \(String(cString: strerror(EACCES)))", at: settings.path)
        }
        begin(beginning, status)
    }

    func begin(_ beginning: Beginning, _ status: FileStatus) {
        do throws(CannotTell) {
            try takeUp(beginning.kept, on: status.node.device)
        } catch {
            return lookAgain(settings.path, .root, error)
        }
        root = status.node
        self.beginning?.status = status
        self.beginning?.isScanning = true
        startWatching()
        scan()
        self.beginning?.isScanning = false
        self.beginning?.unseen = again.paths
        settleBeginning()
    }

    /// Once everything has been examined, removes the checkpoints of files that don't exist.
    func settleBeginning() {
        guard let beginning, let status = beginning.status, again.isEmpty, !isMissing else { return }
        self.beginning = nil
        if !isPartlyUnseen { forgetCheckpoints(on: status.node.device) }
        if beginning.isFirst, settings.mode == .tail, settings.start == .end, names.isEmpty { leaveMark(status) }
    }

    /// Loads the checkpoints of earlier runs. If an inode was begun anew, its last checkpoint is used.
    private func takeUp(_ kept: [FileCheckpoint], on device: UInt64) throws(CannotTell) {
        let devices = try renumbered(kept, on: device)
        for checkpoint in kept.sorted(by: { $0.file.generation < $1.file.generation }) {
            let node = FileStatus.Node(
                device: devices[checkpoint.file.device] ?? checkpoint.file.device, inode: checkpoint.file.inode)
            if let older = checkpoints.updateValue(checkpoint, forKey: node) { forget(older.file) }
        }
    }

    /// Maps the device numbers in the checkpoints to the present ones: some file systems are numbered when they are
    /// mounted.
    private func renumbered(_ kept: [FileCheckpoint], on device: UInt64) throws(CannotTell) -> [UInt64: UInt64] {
        var devices: [UInt64: UInt64] = [:]
        guard !kept.contains(where: { $0.file.device == device }) else { return devices }
        var failures: [UInt64: CannotTell] = [:]
        for checkpoint in kept where devices[checkpoint.file.device] == nil {
            do throws(CannotTell) {
                let status = try FileStatus(path: checkpoint.path, follows: true, calls)
                guard let node = status?.node, node.inode == checkpoint.file.inode else { continue }
                devices[checkpoint.file.device] = node.device
            } catch {
                // A path that may not be examined, or a loop of links, can't be where the file is read.
                if !error.isForbidden, error.number != ELOOP { failures[checkpoint.file.device] = error }
            }
        }
        if let failure = failures.first(where: { devices[$0.key] == nil }) { throw failure.value }
        return devices
    }

    /// Files of earlier runs that weren't found no longer exist, unless they are on another file system, which may not
    /// be mounted yet.
    private func forgetCheckpoints(on device: UInt64) {
        for (node, checkpoint) in checkpoints where node.device == device {
            checkpoints[node] = nil
            generations.set(checkpoint.file.generation + 1, for: node)
            forget(checkpoint.file)
        }
    }

    /// Stores a checkpoint for a source without files, so that its next start isn't taken for the first.
    private func leaveMark(_ status: FileStatus) {
        let identity = FileIdentity(device: status.node.device, inode: status.node.inode)
        let entry = FileLedger.Entry(
            path: settings.path, followedAs: settings.path, node: status.node, born: status.born, isArchive: true,
            open: nil, offset: 0, mark: 0, size: 0, modified: 0, isFinished: true)
        ledger.withLock { $0.insert(entry, for: identity) }
        events.append(.opened(SourceOrigin(source: settings.name, path: settings.path, file: identity)))
        events.append(.finished)
    }
}
