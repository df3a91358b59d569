import Diagnostics

/// Why a name is examined.
package enum NameOccasion: Equatable {
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

/// Names and directories that couldn't be examined, and when they are examined again.
package final class RetriedLooks {
    package enum What: Equatable {
        /// One name, with the event that had occurred.
        case name(NameOccasion)
        /// The whole content of the directory.
        case directory
        /// Whether the watched directory exists.
        case root

        /// The more comprehensive of two examinations.
        fileprivate func joined(_ other: What) -> What {
            switch (self, other) {
            case (.name(let one), .name(let another)): .name(one.rank >= another.rank ? one : another)
            case (.name, _): other
            case (.directory, .root): other
            default: self
            }
        }
    }

    private struct Entry {
        var what: What
        var due: UInt64
        var failures: Int
    }

    private let limits: DirectoryLimits
    private let reports: DirectoryReports
    private var entries: [String: Entry] = [:]

    package init(limits: DirectoryLimits, reports: DirectoryReports) {
        self.limits = limits
        self.reports = reports
    }

    package var isEmpty: Bool { entries.isEmpty }
    /// When the next examination is due.
    var due: UInt64? { entries.values.map(\.due).min() }
    var paths: [String] { Array(entries.keys) }

    /// The examination of a name or a directory failed: it is repeated after a pause.
    package func put(_ path: String, _ what: What, _ why: CannotTell, now: UInt64 = Monotonic.nanoseconds) {
        var entry = entries[path] ?? Entry(what: what, due: 0, failures: 0)
        entry.what = entry.what.joined(what)
        entry.failures += 1
        entry.due = now + limits.pause(after: entry.failures)
        entries[path] = entry
        reports(UnderstudyError(.inputOutput, "this can't be examined: \(why.reason); retrying", at: path))
    }

    /// Those that are due. An entry that isn't `put` again before `settle` has been resolved.
    package func due(at now: UInt64) -> [(path: String, what: What, failures: Int)] {
        if entries.isEmpty { return [] }
        return entries.filter { $0.value.due <= now }.map { ($0.key, $0.value.what, $0.value.failures) }
            .sorted { $0.0 < $1.0 }
    }

    /// The examination that `failures` belongs to was made: unless it failed again, its entry is removed.
    package func settle(_ path: String, after failures: Int) {
        if entries[path]?.failures == failures { entries[path] = nil }
    }
}
