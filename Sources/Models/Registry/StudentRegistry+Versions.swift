import Diagnostics
import Tensors

/// Versions come in: made by a run, or from elsewhere.
extension StudentRegistry {
    /// The name of the next version that a run makes: `v` and a number that was never given before.
    public func nextVersion() throws(UnderstudyError) -> String {
        let record = try isDirectory(directory) ? RegistryRecord.read(directory: directory) : RegistryRecord()
        let taken = try entries().map(\.version) + record.promotions.map(\.version) + record.barred.map(\.version)
        let highest = taken.compactMap(VersionName.number).max() ?? 0
        return "v\(max(highest + 1, record.next))"
    }

    /// Publishes a version whose files `write` makes in the directory that it is given. Its fingerprint is filled in.
    ///
    /// Errors: `cannotCreate`, `noSpace`, `inputOutput` and what `write` throws; nothing is visible then.
    @discardableResult
    public func add(
        _ lineage: StudentLineage, write: (String) throws(UnderstudyError) -> Void
    ) throws(UnderstudyError) -> RegistryEntry {
        guard VersionName.isValid(lineage.version) else {
            throw UnderstudyError(
                .invalidData, "\(Quoting.name(lineage.version)) can't be the name of a version", at: directory)
        }
        return try changing { (record) throws(UnderstudyError) in
            let place = directory + "/" + lineage.version
            try ModelDirectory.publish(to: place, replacing: false) { (staging) throws(UnderstudyError) in
                try write(staging)
                var lineage = lineage
                lineage.fingerprint = try Fingerprint.of(model: staging)
                try RegistryFile.write(lineage, to: staging + "/" + StudentLineage.fileName)
            }
            if let number = VersionName.number(lineage.version) { record.next = max(record.next, number + 1) }
            return made(lineage.version, record)
        }
    }

    /// Takes a student from elsewhere in as a version, under its own name, or finds it where it is one already.
    ///
    /// Errors: `missingInput`, `invalidData` where it isn't a student.
    public func adopt(directory source: String, now: Int64) throws(UnderstudyError) -> RegistryEntry {
        try Self.verify(directory: source)
        let configuration = try StudentConfiguration(
            ModelConfiguration(path: source + "/" + ModelDirectory.configuration))
        let fingerprint = try Fingerprint.of(model: source)
        let all = try entries()
        if let known = all.first(where: { $0.lineage?.fingerprint == fingerprint && $0.flaw == nil }) { return known }
        let wanted = VersionName.made(from: configuration.version)
        // `v7` from elsewhere would be taken for one that a run made here.
        let base = VersionName.number(wanted) == nil ? wanted : "adopted-" + wanted
        var name = base
        var copy = 1
        while all.contains(where: { $0.version == name }) {
            copy += 1
            name = "\(base)-\(copy)"
        }
        var lineage = StudentLineage(version: name, createdAt: now)
        lineage.parent = configuration.parent
        lineage.trainFingerprint = configuration.dataFingerprint
        return try add(lineage) { (staging) throws(UnderstudyError) in
            for file in try DirectoryTree.entries(of: source) where file != StudentLineage.fileName {
                try DirectoryTree.copy(file: source + "/" + file, to: staging + "/" + file)
            }
        }
    }
}
