import Diagnostics
import Glibc

/// Resolves names in the file system, and retries where a system call failed.
extension DirectoryReader {
    /// Resolves a name: to a file or directory, or through a symbolic link to a file; nil if it is nothing that is
    /// read.
    func leadsTo(_ path: String) throws(CannotTell) -> FileStatus? {
        let own = try FileStatus(path: path, calls)
        guard let own, own.isLink else {
            links.remove(path)
            return own
        }
        return try follow(path)
    }

    /// The target of a symbolic link, if it is a file.
    func follow(_ path: String) throws(CannotTell) -> FileStatus? {
        guard names[path] != nil || filter.takes(relative(path)) else { return nil }
        links.insert(path)
        let found: FileStatus?
        do throws(CannotTell) {
            found = try FileStatus(path: path, follows: true, calls)
        } catch {
            guard error.number == ELOOP else { throw error }
            tell(path, "the symbolic link leads in a circle")
            return nil
        }
        guard var status = found else {
            tell(path, "the symbolic link leads to nothing")
            return nil
        }
        if status.isDirectory {
            reportOnce(
                UnderstudyError(
                    .invalidData,
                    "a symbolic link to a directory isn't followed; make that directory a source of its own", at: path))
            return nil
        }
        guard status.isRegular else { return nil }
        if names[path] == nil { noteWhereItLeads(path) }
        status.isLink = true
        return status
    }

    private func tell(_ path: String, _ what: String) {
        reportOnce(
            UnderstudyError(.missingInput, "\(what); it is looked at every \(settings.pollSeconds) s", at: path))
    }

    /// Files outside of the directory are read as well. This is reported once, since it may be unintended.
    private func noteWhereItLeads(_ path: String) {
        guard !hasLinkOutside, let root = Self.realPath(settings.path), let target = Self.realPath(path) else { return }
        guard !target.hasPrefix(root == "/" ? root : root + "/") else { return }
        hasLinkOutside = true
        report(
            UnderstudyError(
                .configuration,
                "a symbolic link leads out of the directory, to \(target); such files are read, and never moved or"
                    + " deleted", at: path))
    }

    static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(validatingCString: real)
    }

    /// Whether a name leads to the file. If that can't be determined, true until the name has been examined again.
    func stillLeads(_ path: String, to file: TrackedFile) -> Bool {
        do throws(CannotTell) {
            return try leadsTo(path)?.node == file.node
        } catch {
            lookAgain(path, .name(.left), error)
            return true
        }
    }

    /// Checks whether the directory exists and is still the same. `isLost`: its watch has ended.
    ///
    /// Returns whether it is the same as before, in which case nothing in it was examined.
    @discardableResult
    func lookAtRoot(isLost: Bool = false) -> Bool {
        let status: FileStatus?
        do throws(CannotTell) {
            status = try FileStatus(path: settings.path + "/.", follows: true, calls)
        } catch {
            if isLost { root = nil }
            lookAgain(settings.path, .root, error)
            return false
        }
        guard let status, status.isDirectory else {
            if isMissing { _ = watch?.addAncestors(of: settings.path) } else { stopWatching() }
            return false
        }
        if let beginning, beginning.status == nil {
            begin(beginning, status)
            return false
        }
        if isMissing || isLost {
            isMissing = false
            startWatching()
        } else {
            _ = watch?.addAncestors(of: settings.path)
            if root == status.node { return true }
        }
        root = status.node
        scan()
        return false
    }

    /// Examines again what couldn't be examined, as far as its retry is due.
    func lookAgainNow() {
        guard !again.isEmpty else { return }
        for look in again.due(at: Self.now) {
            switch look.what {
            case .name(let occasion): note(look.path, occasion)
            case .directory: if look.path == settings.path { scan() } else { self.look(below: look.path) }
            // An earlier scan of its content may have failed as well.
            case .root: if lookAtRoot() { scan() }
            }
            again.settle(look.path, after: look.failures)
        }
        settleBeginning()
    }
}
