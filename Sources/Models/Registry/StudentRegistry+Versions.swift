import CFiles
import Diagnostics
import Glibc
import Tensors

/// Versions come in: made by a run, or from elsewhere. Their files are written beside, without the lock, since that takes
/// seconds on a slow disk; the name is chosen and taken under it.
extension StudentRegistry {
    /// The name of the next version that a run makes: `v` and a number that was never given before.
    public func nextVersion() throws(UnderstudyError) -> String {
        let record = try isDirectory(directory) ? RegistryRecord.read(directory: directory) : RegistryRecord()
        return "v\(try nextNumber(record))"
    }

    /// The same, and no other process gets it from now on. A run that is killed afterwards leaves a gap.
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

    /// All names in the directory, whatever they are: none of them can be a new version's.
    private func names() throws(UnderstudyError) -> [String] {
        try isDirectory(directory) ? DirectoryTree.entries(of: directory) : []
    }

    /// Publishes a version whose files `write` makes in the directory that it is given. Its fingerprint is filled in.
    ///
    /// Errors: `cannotCreate` where the name is taken; `noSpace`, `inputOutput` and what `write` throws. Nothing is visible
    /// then.
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

    /// Takes a student from elsewhere in as a version, under its own name, or finds it where it is one already; and lets it
    /// serve where `origin` says who wants that.
    ///
    /// Errors: `missingInput`, `invalidData` where it isn't a student; what `promote` throws.
    public func adopt(
        directory source: String, promotedBy origin: Promotion.Origin? = nil, now: Int64
    ) throws(UnderstudyError) -> RegistryEntry {
        try Self.verify(directory: source)
        let configuration = try StudentConfiguration(
            ModelConfiguration(path: source + "/" + ModelDirectory.configuration))
        let wanted = VersionName.made(from: configuration.version)
        // `v7` from elsewhere would be taken for one that a run made here.
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
            // Looked for again: another process may have taken it in, or removed it, meanwhile.
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

    /// The whole version with these files; the serving one where several have them.
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

    /// A hidden directory with the files that `write` makes, forced to the disk.
    private func staged(
        _ name: String, write: (String) throws(UnderstudyError) -> Void
    ) throws(UnderstudyError) -> StagingDirectory {
        if try !isDirectory(directory) { try DirectoryTree.make(directory) }
        let staging = try StagingDirectory(beside: directory + "/" + name)
        try write(staging.path)
        try DirectoryTree.makeDurable(staging.path)
        return staging
    }

    /// Gives the staged directory its name, under the lock.
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
