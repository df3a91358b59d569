/// Moves or deletes answered files, for the reader's thread: those of earlier runs, and those for which the committer
/// failed, which are tried again after a pause.
final class RetriedDisposals {
    private let disposal: FileDisposal
    private let limits: DirectoryLimits
    private let ledger: Monitor<FileLedger>
    private let reports: DirectoryReports
    /// Files that couldn't be moved or deleted, and the time of the next attempt.
    private var waiting: [(due: UInt64, attempts: Int, file: FileIdentity)] = []

    init(
        _ settings: DirectorySource.Settings, limits: DirectoryLimits, calls: DirectoryCalls,
        ledger: Monitor<FileLedger>, reports: DirectoryReports
    ) {
        disposal = FileDisposal(settings, calls)
        self.limits = limits
        self.ledger = ledger
        self.reports = reports
    }

    /// Moves or deletes a file, if it still is the one that was answered.
    func clear(_ path: String, node: FileStatus.Node, size: UInt64) -> FileDisposal.Outcome {
        disposal.clear(path, node: node, size: size) { reports($0) }
    }

    /// When the next attempt is due.
    var due: UInt64? { waiting.map(\.due).min() }

    /// Retries moving or deleting files for which the committer, or the last attempt, failed.
    func retry() {
        let now = Monotonic.nanoseconds
        for file in ledger.withLock({ $0.takeUndisposed() }) {
            waiting.append((now + limits.disposalPause(after: 1), 1, file))
        }
        guard !waiting.isEmpty else { return }
        let due = waiting.filter { $0.due <= now }
        waiting.removeAll { $0.due <= now }
        for one in due {
            guard let entry = ledger.withLock({ $0.entries[one.file] }), let path = entry.path, !entry.isGone,
                entry.isFinished, entry.isCommitted
            else { continue }
            switch clear(path, node: entry.node, size: entry.size) {
            case .cleared: ledger.withLock { $0.forget(one.file) }
            case .kept: break
            case .failed:
                let attempts = one.attempts + 1
                waiting.append((now + limits.disposalPause(after: attempts), attempts, one.file))
            }
        }
    }
}
