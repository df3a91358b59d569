import Bytes
import Diagnostics
import Glibc
import Tensors

/// All students that have served or may serve: immutable directories, one per version, and links to those in use.
///
///     v11/  v12/  v13/        model directories, each with its lineage.json
///     current -> v13          the serving student
///     previous -> v12         the target of a rollback
///     shadow -> v14           a candidate in shadow mode
///     registry.json           promotions and rejected versions
///
/// A version is written under another name and renamed into place; a link is replaced by a rename. So `current` leads
/// to a complete version at any time, whichever process is killed.
public struct StudentRegistry: Sendable {
    public let directory: String

    /// Accesses no files.
    public init(directory: String) {
        self.directory = directory
    }

    public var currentLink: String { directory + "/" + RegistryLink.current.rawValue }
    public var shadowLink: String { directory + "/" + RegistryLink.shadow.rawValue }

    // MARK: Reading

    /// nil if nothing has been promoted yet.
    ///
    /// Errors: `invalidData` if the record is damaged; `noPermission` if it isn't readable for this user.
    public func current() throws(UnderstudyError) -> RegistryEntry? { try entry(of: .current) }

    public func shadow() throws(UnderstudyError) -> RegistryEntry? { try entry(of: .shadow) }

    /// The target of a rollback; nil: the configured student.
    ///
    /// After a kill between two link changes the link may lead to the current version; then the history is used. The
    /// result is also known if `current` has no valid target.
    public func previous() throws(UnderstudyError) -> RegistryEntry? {
        let record = try RegistryRecord.read(directory: directory)
        return try previousVersion(record).map { made($0, record) }
    }

    /// All versions: first the others, then those made by runs, by number. Empty if there is no registry yet.
    public func entries() throws(UnderstudyError) -> [RegistryEntry] {
        guard try PathLookup.kind(of: directory, following: false) == .directory else { return [] }
        let record = try RegistryRecord.read(directory: directory)
        var names: [String] = []
        for name in try DirectoryTree.entries(of: directory) where VersionName.isValid(name) {
            if try isDirectory(directory + "/" + name) { names.append(name) }
        }
        return names.sorted { (VersionName.number($0) ?? -1, $0) < (VersionName.number($1) ?? -1, $1) }
            .map { made($0, record) }
    }

    /// Errors: `missingInput` if there is no such version.
    public func entry(_ version: String) throws(UnderstudyError) -> RegistryEntry {
        let all = try entries()
        guard let found = all.first(where: { $0.version == version }) else {
            let known = all.suffix(10).map { PrintableText.escaped($0.version) }.joined(separator: ", ")
            throw UnderstudyError(
                .missingInput,
                "there is no version \(Quoting.name(version)) here" + (known.isEmpty ? "" : "; there are \(known)"),
                at: directory)
        }
        return found
    }

    /// Changes of the serving student, oldest first.
    public func history() throws(UnderstudyError) -> [Promotion] {
        try RegistryRecord.read(directory: directory).promotions
    }

    /// The lineage in a student's directory; nil if there is none.
    ///
    /// Errors: `invalidData`.
    public static func lineage(directory: String) throws(UnderstudyError) -> StudentLineage? {
        let path = directory + "/" + StudentLineage.fileName
        guard try PathLookup.exists(path) else { return nil }
        return try StudentLineage.read(path: path)
    }

    /// Compares a student's files with its `lineage.json`; nil if it has none.
    ///
    /// Errors: `invalidData` if the files differ from those that it was made with.
    @discardableResult
    public static func verify(directory: String) throws(UnderstudyError) -> StudentLineage? {
        guard let lineage = try lineage(directory: directory) else { return nil }
        guard try Fingerprint.of(model: directory) == lineage.fingerprint else {
            throw UnderstudyError(
                .invalidData,
                "these aren't the student's original files: their fingerprint isn't the one in "
                    + "\(StudentLineage.fileName); roll back with 'understudy models rollback' or promote another",
                at: directory)
        }
        return lineage
    }

    // MARK: Adding

    // The files of a version are written beside the registry's versions without the lock, since that takes seconds on a
    // slow disk; the name is chosen and taken under the lock.

    /// The name of the next version that a run makes: `v` and a number that was never used before.
    public func nextVersion() throws(UnderstudyError) -> String {
        let record = try isDirectory(directory) ? RegistryRecord.read(directory: directory) : RegistryRecord()
        return "v\(try nextNumber(record))"
    }

    /// The same, and reserves it against other processes. A run that is killed afterwards leaves a gap.
    public func reserveVersion() throws(UnderstudyError) -> String {
        try RegistryChange.make(in: self) { (change) throws(UnderstudyError) in
            let number = try nextNumber(change.record)
            change.record.next = number + 1
            return "v\(number)"
        }
    }

    private func nextNumber(_ record: RegistryRecord) throws(UnderstudyError) -> Int {
        let taken = try names() + record.promotions.map(\.version) + record.barred.map(\.version)
        let highest = taken.compactMap(VersionName.number).max() ?? 0
        let number = max(highest + 1, record.next)
        guard number <= VersionName.mostVersions else {
            throw UnderstudyError(
                .invalidData,
                "no version number can follow \(number - 1); remove the directory or the entry in "
                    + "\(RegistryRecord.fileName) that has this number", at: directory)
        }
        return number
    }

    /// All names in the directory, of any kind: a new version can't have any of them.
    private func names() throws(UnderstudyError) -> [String] {
        try isDirectory(directory) ? DirectoryTree.entries(of: directory) : []
    }

    /// Publishes a version; `write` creates its files in the directory that it gets. Its fingerprint is filled in.
    ///
    /// Errors: `cannotCreate` if the name is taken; `noSpace`, `inputOutput` and those that `write` throws. Nothing is
    /// visible then.
    @discardableResult
    public func add(
        _ lineage: StudentLineage, write: (String) throws(UnderstudyError) -> Void
    ) throws(UnderstudyError) -> RegistryEntry {
        guard VersionName.isValid(lineage.version) else {
            throw UnderstudyError(
                .invalidData, "\(Quoting.name(lineage.version)) can't be the name of a version", at: directory)
        }
        let staging = try staged(lineage.version, write: write)
        var lineage = lineage
        lineage.fingerprint = try Fingerprint.of(model: staging.path)
        return try RegistryChange.make(in: self) { [lineage] (change) throws(UnderstudyError) in
            try change.place(staging, lineage)
        }
    }

    /// Adopts a student from elsewhere as a version, under its own name, or finds the version if it was adopted
    /// already; promotes it if `origin` isn't nil.
    ///
    /// Errors: `missingInput`, `invalidData` if it isn't a student; those that `promote` throws.
    public func adopt(
        directory source: String, promotedBy origin: Promotion.Origin? = nil, now: Int64
    ) throws(UnderstudyError) -> RegistryEntry {
        try Self.verify(directory: source)
        let configuration = try StudentConfiguration(
            ModelConfiguration(path: source + "/" + ModelDirectory.configuration))
        let wanted = VersionName.made(from: configuration.version)
        // A foreign `v7` would be taken for a version made by a run.
        let base = VersionName.number(wanted) == nil ? wanted : "adopted-" + wanted
        let fingerprint = try Fingerprint.of(model: source)
        var staging: StagingDirectory?
        if let known = try known(fingerprint) {
            if origin == nil { return known }
        } else {
            staging = try staged(base) { (staging) throws(UnderstudyError) in
                for file in try DirectoryTree.entries(of: source) where file != StudentLineage.fileName {
                    try DirectoryTree.copy(file: source + "/" + file, to: staging + "/" + file)
                }
            }
            CrashPoint.adopted.pass()
        }
        return try RegistryChange.make(in: self) { (change) throws(UnderstudyError) in
            let entry: RegistryEntry
            // Searched again: another process may have adopted or removed it meanwhile.
            if let known = try known(fingerprint) {
                entry = known
            } else {
                guard let staging else { throw change.changedMeanwhile() }
                var lineage = StudentLineage(version: try freeName(base), createdAt: now)
                lineage.parent = configuration.parent
                lineage.trainFingerprint = configuration.dataFingerprint
                lineage.fingerprint = try Fingerprint.of(model: staging.path)
                entry = try change.place(staging, lineage)
            }
            if let origin { try change.promote(entry, by: origin, now: now, expecting: .any) }
            return entry
        }
    }

    /// The undamaged version with these files; the serving one if several have them.
    private func known(_ fingerprint: String) throws(UnderstudyError) -> RegistryEntry? {
        let all = try entries().filter { $0.lineage?.fingerprint == fingerprint && $0.flaw == nil }
        let current = try RegistryLink.current.target(in: directory)
        for entry in all.filter({ $0.version == current }) + all {
            // Its files may have been altered since.
            if (try? Self.verify(directory: entry.directory)) != nil { return entry }
        }
        return nil
    }

    private func freeName(_ base: String) throws(UnderstudyError) -> String {
        let taken = Set(try names())
        var name = base
        var copy = 1
        while taken.contains(name) {
            copy += 1
            name = "\(base)-\(copy)"
        }
        return name
    }

    /// A hidden directory with the files that `write` creates, synced to the disk.
    private func staged(
        _ name: String, write: (String) throws(UnderstudyError) -> Void
    ) throws(UnderstudyError) -> StagingDirectory {
        if try !isDirectory(directory) { try DirectoryTree.make(directory) }
        let staging = try StagingDirectory(beside: directory + "/" + name)
        try write(staging.path)
        try DirectoryTree.makeDurable(staging.path)
        return staging
    }

    // MARK: Changing

    /// Makes a version the serving student. The one that served before becomes `previous`.
    ///
    /// Errors: `missingInput`, `invalidData` for a damaged version; `configuration` for a rejected one, unless a person
    /// requests it, which removes the rejection; `tryAgain` if another student serves than `expected`.
    public func promote(
        _ version: String, by origin: Promotion.Origin, now: Int64, expecting expected: ServingExpectation = .any
    ) throws(UnderstudyError) {
        try RegistryChange.make(in: self) { (change) throws(UnderstudyError) in
            let entry = try entry(version)
            try Self.verify(directory: entry.directory)
            try ModelDirectory.check(entry.directory)
            try change.promote(entry, by: origin, now: now, expecting: expected)
        }
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
        try RegistryChange.make(in: self) { (change) throws(UnderstudyError) in
            guard let previous = try previousVersion(change.record) else {
                throw UnderstudyError(.missingInput, "there is no previous student to roll back to", at: directory)
            }
            guard expected == nil || expected == previous else { throw change.changedMeanwhile() }
            // A link without a valid target is replaced like any other.
            let current = try RegistryLink.current.target(in: directory)
            let to = made(previous, change.record)
            try Self.verify(directory: to.directory)
            try ModelDirectory.check(to.directory)
            if let current, let reason { change.bar(current, reason: reason, now: now) }
            var older = change.record.predecessor(of: previous)
            if let name = older {
                let isThere = try isDirectory(directory + "/" + name)
                if !isThere || name == current || name == previous { older = nil }
            }
            try change.serve(
                Promotion(time: now, version: previous, predecessor: current, origin: .rollback),
                [(.current, previous), (.previous, older)])
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
        try RegistryChange.make(in: self) { (change) throws(UnderstudyError) in
            guard try RegistryLink.current.exists(in: directory) else {
                throw UnderstudyError(
                    .missingInput,
                    "the configured student serves, and no version of this registry; there is nothing "
                        + "to roll back to", at: directory)
            }
            let current = try RegistryLink.current.target(in: directory)
            if let current, let reason { change.bar(current, reason: reason, now: now) }
            try change.serve(
                Promotion(time: now, version: Promotion.configured, predecessor: current, origin: .rollback),
                [(.current, nil), (.previous, nil)])
            return current
        }
    }

    /// Makes a version answer in shadow mode; nil ends that.
    ///
    /// Errors: `tryAgain` if another student serves than `expected`.
    public func setShadow(
        _ version: String?, expecting expected: ServingExpectation = .any
    ) throws(UnderstudyError) {
        try RegistryChange.make(in: self) { (change) throws(UnderstudyError) in
            try change.check(expected, serving: RegistryLink.current.target(in: directory))
            if let version {
                let entry = try entry(version)
                try Self.verify(directory: entry.directory)
            }
            try RegistryLink.shadow.set(version, in: directory)
        }
    }

    /// Rejects a version: afterwards only a person can promote it.
    public func bar(_ version: String, reason: String, now: Int64) throws(UnderstudyError) {
        try RegistryChange.make(in: self) { (change) throws(UnderstudyError) in
            _ = try entry(version)
            change.bar(version, reason: reason, now: now)
        }
    }

    /// Removes all but the newest `count` versions and those that a link leads to; returns the names of the removed
    /// ones.
    @discardableResult
    public func removeOld(keeping count: Int) throws(UnderstudyError) -> [String] {
        try RegistryChange.make(in: self) { (change) throws(UnderstudyError) in
            var linked = [try previousVersion(change.record)]
            for link in RegistryLink.allCases { linked.append(try link.target(in: directory)) }
            let others = try entries().map(\.version).filter { !linked.contains($0) }
            var removed: [String] = []
            for version in others.dropLast(count) {
                // Renamed first, then removed file by file, so that no reader sees a partial version.
                let hidden = directory + "/" + RegistryChange.removedPrefix + version
                DirectoryTree.remove(hidden)
                guard rename(directory + "/" + version, hidden) == 0 else { continue }
                DirectoryTree.remove(hidden)
                removed.append(version)
            }
            return removed
        }
    }

    // MARK: Shared parts

    func made(_ version: String, _ record: RegistryRecord) -> RegistryEntry {
        let place = directory + "/" + version
        var entry = RegistryEntry(version: version, directory: place, barring: record.barring(of: version))
        let path = place + "/" + StudentLineage.fileName
        do throws(UnderstudyError) {
            if try PathLookup.exists(path) { entry.lineage = try StudentLineage.read(path: path) }
            try ModelDirectory.check(place)
        } catch {
            entry.flaw = error.message
        }
        return entry
    }

    func previousVersion(_ record: RegistryRecord) throws(UnderstudyError) -> String? {
        let current = try RegistryLink.current.target(in: directory)
        if let linked = try RegistryLink.previous.target(in: directory), linked != current,
            try isDirectory(directory + "/" + linked)
        {
            return linked
        }
        guard let current, let known = record.predecessor(of: current), known != current,
            try isDirectory(directory + "/" + known)
        else { return nil }
        return known
    }

    /// Errors: those of `PathLookup.kind`: what can't be examined isn't taken to be missing.
    func isDirectory(_ path: String) throws(UnderstudyError) -> Bool {
        try PathLookup.kind(of: path, following: false) == .directory
    }

    private func entry(of link: RegistryLink) throws(UnderstudyError) -> RegistryEntry? {
        // Checked first, so that an unreadable registry isn't taken for one without the link.
        let place = directory + "/" + link.rawValue
        guard try PathLookup.kind(of: place, following: false) == .link, let version = try link.target(in: directory),
            try isDirectory(directory + "/" + version)
        else { return nil }
        return made(version, try RegistryRecord.read(directory: directory))
    }
}
