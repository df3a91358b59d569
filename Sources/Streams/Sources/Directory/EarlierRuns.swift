import Glibc

/// What earlier runs of a source left: the checkpoints of files that haven't been found yet, until the directory has
/// been examined for the first time.
package final class EarlierRuns {
    private enum Phase {
        /// The directory couldn't be examined yet.
        case waiting
        /// The directory's status at the first examination. `unseen`: the paths that couldn't be examined then.
        case examining(FileStatus, isScanning: Bool, unseen: [String])
        case over
    }

    private let kept: [FileCheckpoint]
    /// Whether there were no checkpoints: existing files may then start at their end.
    let isFirstStart: Bool
    private let calls: DirectoryCalls
    private var phase = Phase.waiting
    private var checkpoints: [FileStatus.Node: FileCheckpoint] = [:]

    /// A checkpoint of the directory itself was left by a run without files.
    package init(_ kept: [FileCheckpoint], directory: String, calls: DirectoryCalls) {
        self.kept = kept.filter { $0.path != directory }
        isFirstStart = kept.isEmpty
        self.calls = calls
    }

    // MARK: the first examination

    var isWaiting: Bool { if case .waiting = phase { true } else { false } }

    /// The directory's status at the first examination; nil before it, and once everything has been examined.
    var examined: FileStatus? { if case .examining(let status, _, _) = phase { status } else { nil } }

    func beginScan(_ status: FileStatus) { phase = .examining(status, isScanning: true, unseen: []) }

    func endScan(unseen: [String]) {
        guard let examined else { return }
        phase = .examining(examined, isScanning: false, unseen: unseen)
    }

    /// Everything has been examined.
    func end() { phase = .over }

    /// Whether a file that is found now existed at the very first start.
    func wasThere(_ path: String) -> Bool {
        guard isFirstStart, case .examining(_, let isScanning, let unseen) = phase else { return false }
        return isScanning || unseen.contains { path == $0 || path.hasPrefix($0 + "/") }
    }

    // MARK: checkpoints

    /// The path at which an earlier run read that file, unless the file has been found.
    package func path(of node: FileStatus.Node) -> String? { checkpoints[node]?.path }

    /// Removes and returns the checkpoint of a file that was found.
    func take(_ node: FileStatus.Node) -> FileCheckpoint? { checkpoints.removeValue(forKey: node) }

    /// Removes and returns the checkpoints of files that weren't found. They no longer exist, unless they are on
    /// another file system, which may not be mounted yet.
    package func takeMissing(on device: UInt64) -> [FileStatus.Node: FileCheckpoint] {
        let missing = checkpoints.filter { $0.key.device == device }
        for node in missing.keys { checkpoints[node] = nil }
        return missing
    }

    /// Loads the checkpoints of the directory on `device`. If an inode was begun anew, its last checkpoint is used; the
    /// files of the others are returned.
    package func load(on device: UInt64) throws(CannotTell) -> [FileIdentity] {
        let devices = try renumbered(on: device)
        var replaced: [FileIdentity] = []
        for checkpoint in kept.sorted(by: { $0.file.generation < $1.file.generation }) {
            let node = FileStatus.Node(
                device: devices[checkpoint.file.device] ?? checkpoint.file.device, inode: checkpoint.file.inode)
            if let older = checkpoints.updateValue(checkpoint, forKey: node) { replaced.append(older.file) }
        }
        return replaced
    }

    /// Maps the device numbers in the checkpoints to the present ones: some file systems are numbered when they are
    /// mounted.
    private func renumbered(on device: UInt64) throws(CannotTell) -> [UInt64: UInt64] {
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
}
