import Diagnostics
import Glibc
import Tensors

/// Changes. Each happens under the registry's lock and leaves a whole registry wherever it is killed.
extension StudentRegistry {
    /// Lets a version serve. What served before becomes `previous`.
    ///
    /// The order is: record, `previous`, `current`. A kill before the last leaves the old student serving, and the
    /// record with a promotion that didn't come to be, which the next change takes out.
    ///
    /// Errors: `missingInput`, `invalidData` for a damaged version; `configuration` for a barred one, unless a person asks,
    /// which lifts the bar.
    public func promote(_ version: String, by origin: Promotion.Origin, now: Int64) throws(UnderstudyError) {
        try changing { (record) throws(UnderstudyError) in
            let entry = try entry(version)
            try Self.verify(directory: entry.directory)
            try ModelDirectory.check(entry.directory)
            if let barring = entry.barring {
                guard origin == .person else {
                    throw UnderstudyError(
                        .configuration, "version \(version) is barred: \(PrintableText.escaped(barring.reason))",
                        at: entry.directory)
                }
                record.barred.removeAll { $0.version == version }
            }
            let before = RegistryLink.current.target(in: directory)
            guard before != version else { return }
            record.promotions.append(
                Promotion(time: now, version: version, predecessor: before, origin: origin))
            try record.write(directory: directory)
            CrashPoint.promoting.pass()
            if let before { try RegistryLink.previous.set(before, in: directory) }
            CrashPoint.flipping.pass()
            try RegistryLink.current.set(version, in: directory)
            if RegistryLink.shadow.target(in: directory) == version {
                try RegistryLink.shadow.set(nil, in: directory)
            }
            CrashPoint.promoted.pass()
        }
    }

    /// Lets the student before serve again. `barring` says why the other one is never to be promoted again.
    ///
    /// Errors: `missingInput` where there is none before.
    @discardableResult
    public func rollback(
        barring reason: String? = nil, now: Int64
    ) throws(UnderstudyError) -> (from: RegistryEntry, to: RegistryEntry) {
        try changing { (record) throws(UnderstudyError) in
            guard let current = RegistryLink.current.target(in: directory),
                let previous = previousVersion(record)
            else {
                throw UnderstudyError(.missingInput, "there is no student before to go back to", at: directory)
            }
            let to = made(previous, record)
            try Self.verify(directory: to.directory)
            try ModelDirectory.check(to.directory)
            if let reason { record.barred.append(Barring(version: current, reason: reason, time: now)) }
            record.promotions.append(
                Promotion(time: now, version: previous, predecessor: current, origin: .rollback))
            try record.write(directory: directory)
            CrashPoint.promoting.pass()
            try RegistryLink.current.set(previous, in: directory)
            CrashPoint.flipping.pass()
            let older = record.predecessor(of: previous).flatMap { name in
                name != current && name != previous && isDirectory(directory + "/" + name) ? name : nil
            }
            try RegistryLink.previous.set(older, in: directory)
            CrashPoint.promoted.pass()
            return (made(current, record), to)
        }
    }

    /// Lets a version answer beside the serving one; nil ends that.
    public func setShadow(_ version: String?) throws(UnderstudyError) {
        try changing { (record) throws(UnderstudyError) in
            if let version {
                let entry = try entry(version)
                try Self.verify(directory: entry.directory)
            }
            try RegistryLink.shadow.set(version, in: directory)
        }
    }

    /// Keeps a version from being promoted by anyone but a person.
    public func bar(_ version: String, reason: String, now: Int64) throws(UnderstudyError) {
        try changing { (record) throws(UnderstudyError) in
            _ = try entry(version)
            record.barred.removeAll { $0.version == version }
            record.barred.append(Barring(version: version, reason: reason, time: now))
        }
    }

    /// Removes the oldest versions but for the newest `count`, and those that a link leads to; their names.
    @discardableResult
    public func removeOld(keeping count: Int) throws(UnderstudyError) -> [String] {
        try changing { (record) throws(UnderstudyError) in
            let linked =
                RegistryLink.allCases.compactMap { $0.target(in: directory) }
                + [previousVersion(record)].compactMap { $0 }
            let others = try entries().map(\.version).filter { !linked.contains($0) }
            let old = others.dropLast(count)
            for version in old {
                // Away at once, then file by file: nobody sees half a version.
                let hidden = directory + "/" + Self.removedPrefix + version
                DirectoryTree.remove(hidden)
                guard rename(directory + "/" + version, hidden) == 0 else { continue }
                DirectoryTree.remove(hidden)
            }
            return Array(old)
        }
    }

    // MARK: Under the lock

    private static let removedPrefix = ".removed."

    func changing<Value>(
        _ body: (inout RegistryRecord) throws(UnderstudyError) -> Value
    ) throws(UnderstudyError) -> Value {
        if !isDirectory(directory) {
            try DirectoryTree.make(directory)
        }
        let lock = try RegistryLock(directory: directory)
        defer { withExtendedLifetime(lock) {} }
        var record = try RegistryRecord.read(directory: directory)
        let found = record
        settle(&record)
        let value = try body(&record)
        if record != found { try record.write(directory: directory) }
        return value
    }

    /// Takes back what a kill left half done.
    private func settle(_ record: inout RegistryRecord) {
        // A promotion whose flip never came.
        if let current = RegistryLink.current.target(in: directory) {
            while let last = record.promotions.last, last.version != current, last.predecessor == current {
                record.promotions.removeLast()
            }
        } else {
            record.promotions.removeAll()
        }
        for name in (try? DirectoryTree.entries(of: directory)) ?? [] where name.hasPrefix(Self.removedPrefix) {
            DirectoryTree.remove(directory + "/" + name)
        }
        StagingDirectory.removeAllLeftovers(in: directory)
    }
}
