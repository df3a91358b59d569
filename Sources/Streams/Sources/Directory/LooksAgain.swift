/// Names and directories that couldn't be looked at, and when they are looked at again.
struct LooksAgain {
    enum What: Equatable {
        /// One name; what had happened to it.
        case name(DirectoryReader.Occasion)
        /// All that is in the directory.
        case directory
        /// Whether the watched directory is there.
        case root

        /// Of two looks the one that finds more.
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

    private var entries: [String: Entry] = [:]

    var isEmpty: Bool { entries.isEmpty }
    /// When the next look is due.
    var due: UInt64? { entries.values.map(\.due).min() }
    var paths: [String] { Array(entries.keys) }

    mutating func put(_ path: String, _ what: What, now: UInt64, _ limits: DirectoryLimits) {
        var entry = entries[path] ?? Entry(what: what, due: 0, failures: 0)
        entry.what = entry.what.joined(what)
        entry.failures += 1
        entry.due = now + limits.pause(after: entry.failures)
        entries[path] = entry
    }

    /// Those whose time has come. One that isn't `put` again until `settle` has been found.
    func due(at now: UInt64) -> [(path: String, what: What, failures: Int)] {
        if entries.isEmpty { return [] }
        return entries.filter { $0.value.due <= now }.map { ($0.key, $0.value.what, $0.value.failures) }
            .sorted { $0.0 < $1.0 }
    }

    /// The look that `failures` belongs to was taken: unless it failed again, nothing is left to be done.
    mutating func settle(_ path: String, after failures: Int) {
        if entries[path]?.failures == failures { entries[path] = nil }
    }
}
