import Diagnostics
import Glibc

/// Resolves names in the file system, and remembers which of them are symbolic links.
final class NameResolver {
    private let settings: DirectorySource.Settings
    private let paths: WatchedPaths
    private let calls: DirectoryCalls
    private let reports: DirectoryReports
    /// The names that are symbolic links to anything; when they are examined again.
    private var links: Set<String> = []
    private var nextLook: UInt64?
    /// Whether a link that leads out of the directory was reported.
    private var hasLinkOutside = false

    init(_ settings: DirectorySource.Settings, calls: DirectoryCalls, reports: DirectoryReports) {
        self.settings = settings
        paths = WatchedPaths(settings)
        self.calls = calls
        self.reports = reports
    }

    /// Resolves a name: to a file or directory, or through a symbolic link to a file; nil if it is nothing that is
    /// read. `isKnown`: the name led to a file that is read.
    func status(of path: String, isKnown: Bool) throws(CannotTell) -> FileStatus? {
        let own = try FileStatus(path: path, calls)
        guard let own, own.isLink else {
            links.remove(path)
            return own
        }
        return try follow(path, isKnown: isKnown)
    }

    /// The target of a symbolic link, if it is a file.
    func follow(_ path: String, isKnown: Bool) throws(CannotTell) -> FileStatus? {
        guard isKnown || paths.takes(path) else { return nil }
        links.insert(path)
        let found: FileStatus?
        do throws(CannotTell) {
            found = try FileStatus(path: path, follows: true, calls)
        } catch {
            guard error.number == ELOOP else { throw error }
            report(path, "the symbolic link is part of a loop")
            return nil
        }
        guard var status = found else {
            report(path, "the symbolic link's target doesn't exist")
            return nil
        }
        if status.isDirectory {
            reports(
                UnderstudyError(
                    .invalidData,
                    "a symbolic link to a directory isn't followed; make that directory a source of its own", at: path))
            return nil
        }
        guard status.isRegular else { return nil }
        if !isKnown { noteWhereItLeads(path) }
        status.isLink = true
        return status
    }

    private func report(_ path: String, _ what: String) {
        reports(UnderstudyError(.missingInput, "\(what); it is checked every \(settings.pollSeconds) s", at: path))
    }

    /// Files outside of the directory are read as well. This is reported once, since it may be unintended.
    private func noteWhereItLeads(_ path: String) {
        guard !hasLinkOutside, let root = realPath(settings.path), let target = realPath(path) else { return }
        guard !target.hasPrefix(root == "/" ? root : root + "/") else { return }
        hasLinkOutside = true
        reports.always(
            UnderstudyError(
                .configuration,
                "a symbolic link points outside the directory, to \(target); such files are read, but never moved or"
                    + " deleted", at: path))
    }

    // MARK: polling, since inotify doesn't report changes of a link's target

    /// When the links are examined again.
    var due: UInt64? { links.isEmpty ? nil : nextLook }

    /// The links, if their next examination is due.
    func takeDue(at now: UInt64) -> [String] {
        guard !links.isEmpty else {
            nextLook = nil
            return []
        }
        if let due = nextLook, due > now { return [] }
        defer { nextLook = now + settings.pollNanoseconds }
        return nextLook == nil ? [] : links.sorted()
    }
}
