import Diagnostics
import Glibc
import Tensors

/// The student that must serve for a change to be made: a decision about one student isn't applied to another that was
/// promoted meanwhile.
public enum ServingExpectation: Sendable, Equatable {
    case any
    /// No version of the registry: the configured student.
    case configured
    case version(String)
}

/// Changes of the registry. Each takes the registry's lock and leaves a consistent registry if it is killed at any
/// point.
extension StudentRegistry {
    /// Makes a version the serving student. The one that served before becomes `previous`.
    ///
    /// The order is: record, `previous`, `current`. A kill before the last step leaves the old student serving, and a
    /// promotion in the record that didn't take effect, which the next change removes.
    ///
    /// Errors: `missingInput`, `invalidData` for a damaged version; `configuration` for a rejected one, unless a person
    /// requests it, which removes the rejection; `tryAgain` if another student serves than `expected`.
    public func promote(
        _ version: String, by origin: Promotion.Origin, now: Int64, expecting expected: ServingExpectation = .any
    ) throws(UnderstudyError) {
        try changing { (record) throws(UnderstudyError) in
            let entry = try entry(version)
            try Self.verify(directory: entry.directory)
            try ModelDirectory.check(entry.directory)
            try promote(entry, by: origin, now: now, expecting: expected, &record)
        }
    }

    func promote(
        _ entry: RegistryEntry, by origin: Promotion.Origin, now: Int64, expecting expected: ServingExpectation,
        _ record: inout RegistryRecord
    ) throws(UnderstudyError) {
        if let barring = entry.barring {
            guard origin == .person else {
                throw UnderstudyError(
                    .configuration, "version \(entry.version) is barred: \(PrintableText.escaped(barring.reason))",
                    at: entry.directory)
            }
            record.barred.removeAll { $0.version == entry.version }
        }
        let before = try RegistryLink.current.target(in: directory)
        try check(expected, serving: before)
        guard before != entry.version else { return }
        record.promotions.append(
            Promotion(time: now, version: entry.version, predecessor: before, origin: origin))
        try record.write(directory: directory)
        CrashPoint.promoting.pass()
        try RegistryLink.previous.set(before, in: directory)
        CrashPoint.flipping.pass()
        try RegistryLink.current.set(entry.version, in: directory)
        if try RegistryLink.shadow.target(in: directory) == entry.version {
            try RegistryLink.shadow.set(nil, in: directory)
        }
        CrashPoint.promoted.pass()
    }

    /// Rolls back to the previous student. `barring` is the reason for which the other one is never to be promoted
    /// again.
    ///
    /// - Parameter expected: the version to return to, if it was chosen before; another one is `tryAgain`.
    /// - Returns: both versions; `from` is nil if `current` had no valid target.
    ///
    /// Errors: `missingInput` if there is no previous student; `invalidData` if it is damaged.
    @discardableResult
    public func rollback(
        to expected: String? = nil, barring reason: String? = nil, now: Int64
    ) throws(UnderstudyError) -> (from: String?, to: RegistryEntry) {
        try changing { (record) throws(UnderstudyError) in
            guard let previous = try previousVersion(record) else {
                throw UnderstudyError(.missingInput, "there is no student before to go back to", at: directory)
            }
            guard expected == nil || expected == previous else { throw changedMeanwhile() }
            // A link without a valid target is replaced like any other.
            let current = try RegistryLink.current.target(in: directory)
            let to = made(previous, record)
            try Self.verify(directory: to.directory)
            try ModelDirectory.check(to.directory)
            if let current, let reason { bar(current, reason, now, &record) }
            record.promotions.append(
                Promotion(time: now, version: previous, predecessor: current, origin: .rollback))
            try record.write(directory: directory)
            CrashPoint.promoting.pass()
            try RegistryLink.current.set(previous, in: directory)
            CrashPoint.flipping.pass()
            var older = record.predecessor(of: previous)
            if let name = older {
                let isThere = try isDirectory(directory + "/" + name)
                if !isThere || name == current || name == previous { older = nil }
            }
            try RegistryLink.previous.set(older, in: directory)
            CrashPoint.promoted.pass()
            return (current, to)
        }
    }

    /// Makes the configured student serve instead of a version of the registry. The versions stay.
    ///
    /// Returns the version that served; nil if `current` had no valid target.
    ///
    /// Errors: `missingInput` if the configured student serves already.
    @discardableResult
    public func rollbackToConfigured(
        barring reason: String? = nil, now: Int64
    ) throws(UnderstudyError) -> String? {
        try changing { (record) throws(UnderstudyError) in
            guard try RegistryLink.current.exists(in: directory) else {
                throw UnderstudyError(
                    .missingInput,
                    "no version of this registry serves, but the student that the configuration names; there is nothing "
                        + "to go back to", at: directory)
            }
            let current = try RegistryLink.current.target(in: directory)
            if let current, let reason { bar(current, reason, now, &record) }
            record.promotions.append(
                Promotion(time: now, version: Promotion.configured, predecessor: current, origin: .rollback))
            try record.write(directory: directory)
            CrashPoint.promoting.pass()
            try RegistryLink.current.set(nil, in: directory)
            CrashPoint.flipping.pass()
            try RegistryLink.previous.set(nil, in: directory)
            CrashPoint.promoted.pass()
            return current
        }
    }

    /// Makes a version answer in shadow mode; nil ends that.
    ///
    /// Errors: `tryAgain` if another student serves than `expected`.
    public func setShadow(
        _ version: String?, expecting expected: ServingExpectation = .any
    ) throws(UnderstudyError) {
        try changing { (record) throws(UnderstudyError) in
            try check(expected, serving: RegistryLink.current.target(in: directory))
            if let version {
                let entry = try entry(version)
                try Self.verify(directory: entry.directory)
            }
            try RegistryLink.shadow.set(version, in: directory)
        }
    }

    /// Rejects a version: afterwards only a person can promote it.
    public func bar(_ version: String, reason: String, now: Int64) throws(UnderstudyError) {
        try changing { (record) throws(UnderstudyError) in
            _ = try entry(version)
            bar(version, reason, now, &record)
        }
    }

    private func bar(_ version: String, _ reason: String, _ now: Int64, _ record: inout RegistryRecord) {
        record.barred.removeAll { $0.version == version }
        record.barred.append(RejectedVersion(version: version, reason: reason, time: now))
    }

    /// Removes all but the newest `count` versions and those that a link leads to; returns the names of the removed
    /// ones.
    @discardableResult
    public func removeOld(keeping count: Int) throws(UnderstudyError) -> [String] {
        try changing { (record) throws(UnderstudyError) in
            var linked = [try previousVersion(record)]
            for link in RegistryLink.allCases { linked.append(try link.target(in: directory)) }
            let others = try entries().map(\.version).filter { !linked.contains($0) }
            var removed: [String] = []
            for version in others.dropLast(count) {
                // Renamed first, then removed file by file, so that no reader sees a partial version.
                let hidden = directory + "/" + Self.removedPrefix + version
                DirectoryTree.remove(hidden)
                guard rename(directory + "/" + version, hidden) == 0 else { continue }
                DirectoryTree.remove(hidden)
                removed.append(version)
            }
            return removed
        }
    }

    private func check(_ expected: ServingExpectation, serving: String?) throws(UnderstudyError) {
        switch expected {
        case .any: return
        case .configured: if serving == nil { return }
        case .version(let version): if serving == version { return }
        }
        throw changedMeanwhile()
    }

    func changedMeanwhile() -> UnderstudyError {
        UnderstudyError(
            .tryAgain, "another student was promoted, or taken back, meanwhile; nothing is changed: try again",
            at: directory)
    }

    // MARK: Under the lock

    private static let removedPrefix = ".removed."

    func changing<Value>(
        _ body: (inout RegistryRecord) throws(UnderstudyError) -> Value
    ) throws(UnderstudyError) -> Value {
        if try !isDirectory(directory) {
            try DirectoryTree.make(directory)
        }
        let lock = try RegistryLock(directory: directory)
        defer { withExtendedLifetime(lock) {} }
        var record = try RegistryRecord.read(directory: directory)
        let found = record
        try settle(&record)
        let value = try body(&record)
        if record != found { try record.write(directory: directory) }
        return value
    }

    /// Undoes a change that was killed halfway.
    private func settle(_ record: inout RegistryRecord) throws(UnderstudyError) {
        // The links of this change were never set: the student that served before it still serves.
        let serving = try RegistryLink.current.target(in: directory) ?? Promotion.configured
        while let last = record.promotions.last, last.version != serving,
            last.predecessor ?? Promotion.configured == serving
        {
            record.promotions.removeLast()
        }
        for name in (try? DirectoryTree.entries(of: directory)) ?? [] {
            let isOurs =
                name.hasPrefix(Self.removedPrefix)
                || name.hasPrefix(".\(RegistryRecord.fileName).") && name.hasSuffix(".partial")
            if isOurs { DirectoryTree.remove(directory + "/" + name) }
        }
        StagingDirectory.removeAllLeftovers(in: directory)
    }
}

/// The lock for changes of a registry: flock on `.lock` in its directory. Waits for some seconds, since holders keep it
/// for milliseconds only.
final class RegistryLock {
    private let descriptor: Int32
    private static let patience = 5.0

    /// Errors: `tryAgain` if another process holds it all that time; `cannotCreate`.
    init(directory: String) throws(UnderstudyError) {
        let path = directory + "/.lock"
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o660)
        guard opened >= 0 else {
            throw UnderstudyError(
                .writing(errno, else: .cannotCreate), "can't be opened: \(String(cString: strerror(errno)))", at: path)
        }
        let begun = ContinuousClock.now
        while flock(opened, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR, begun.duration(to: .now) < .seconds(Self.patience) else {
                close(opened)
                throw UnderstudyError(.tryAgain, "another process is changing this registry; try again", at: path)
            }
            usleep(20_000)
        }
        // Set last: `deinit` also runs when a complete object's initialiser throws, and would close it a second time.
        descriptor = opened
    }

    deinit { FileLock.release(closing: descriptor) }
}
