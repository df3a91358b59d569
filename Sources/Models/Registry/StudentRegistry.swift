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
                "these aren't the files that the student was made with: they don't have the fingerprint that "
                    + "\(StudentLineage.fileName) names; go back with 'understudy models rollback' or promote another",
                at: directory)
        }
        return lineage
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
