import CFiles
import Diagnostics
import Glibc
import Tensors

/// Adds versions, made by a run or adopted. Their files are written beside the registry's versions without the lock,
/// since that takes seconds on a slow disk; the name is chosen and taken under the lock.
extension StudentRegistry {
    /// The name of the next version that a run makes: `v` and a number that was never used before.
    public func nextVersion() throws(UnderstudyError) -> String {
        let record = try isDirectory(directory) ? RegistryRecord.read(directory: directory) : RegistryRecord()
        return "v\(try nextNumber(record))"
    }

    /// The same, and reserves it against other processes. A run that is killed afterwards leaves a gap.
    public func reserveVersion() throws(UnderstudyError) -> String {
        try changing { (record) throws(UnderstudyError) in
            let number = try nextNumber(record)
            record.next = number + 1
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
                "there can be no version after \(number - 1); remove the directory or the entry in "
                    + "\(RegistryRecord.fileName) that has so large a number", at: directory)
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
        return try changing { [lineage] (record) throws(UnderstudyError) in
            try place(staging, lineage, &record)
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
        return try changing { (record) throws(UnderstudyError) in
            let entry: RegistryEntry
            // Searched again: another process may have adopted or removed it meanwhile.
            if let known = try known(fingerprint) {
                entry = known
            } else {
                guard let staging else { throw changedMeanwhile() }
                var lineage = StudentLineage(version: try freeName(base), createdAt: now)
                lineage.parent = configuration.parent
                lineage.trainFingerprint = configuration.dataFingerprint
                lineage.fingerprint = try Fingerprint.of(model: staging.path)
                entry = try place(staging, lineage, &record)
            }
            if let origin { try promote(entry, by: origin, now: now, expecting: .any, &record) }
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

    /// Renames the staged directory to its final name, under the lock.
    private func place(
        _ staging: StagingDirectory, _ lineage: StudentLineage, _ record: inout RegistryRecord
    ) throws(UnderstudyError) -> RegistryEntry {
        let place = directory + "/" + lineage.version
        try RegistryFile.write(lineage, to: staging.path + "/" + StudentLineage.fileName)
        var reason: Int32 = 0
        let isPlaced = UnfinishedDirectories.finish(staging.path) {
            reason = understudy_rename_new(staging.path, place)
            return reason == 0
        }
        guard isPlaced else {
            throw UnderstudyError(
                .writing(reason, else: .cannotCreate),
                reason == EEXIST
                    ? "there is something of this name already"
                    : "can't be put into place: \(String(cString: strerror(reason)))", at: place)
        }
        try DurableFile.synchroniseDirectory(directory)
        if let number = VersionName.number(lineage.version) { record.next = max(record.next, number + 1) }
        return made(lineage.version, record)
    }
}
