import Diagnostics
import Glibc
import Tensors

/// The links of a registry: relative symbolic links to a version beside them.
enum RegistryLink: String, CaseIterable {
    case current
    case previous
    case shadow

    /// The version that it leads to; nil where it isn't there, is no link or leads out of the registry.
    ///
    /// Errors: `noPermission`, `inputOutput` where that can't be told.
    func target(in directory: String) throws(UnderstudyError) -> String? {
        let path = directory + "/" + rawValue
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink(path, &buffer, Int(PATH_MAX))
        guard count >= 0 else {
            let reason = errno
            if [ENOENT, ENOTDIR, EINVAL].contains(reason) { return nil }
            throw UnderstudyError(
                .reading(reason, else: .inputOutput), "the link can't be read: \(String(cString: strerror(reason)))",
                at: path)
        }
        let name = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return VersionName.isValid(name) ? name : nil
    }

    /// Whether there is such a link, wherever it leads. Errors: those of `PathLookup.kind`.
    func exists(in directory: String) throws(UnderstudyError) -> Bool {
        try PathLookup.kind(of: directory + "/" + rawValue, following: false) != .absent
    }

    /// Lets it lead to `version`, in one step, durably; nil removes it.
    ///
    /// Errors: `cannotCreate`, `noSpace`.
    func set(_ version: String?, in directory: String) throws(UnderstudyError) {
        let path = directory + "/" + rawValue
        guard let version else {
            guard unlink(path) == 0 || errno == ENOENT else { throw failure("removed", path) }
            return try DurableFile.synchroniseDirectory(directory)
        }
        guard try target(in: directory) != version else { return }
        let beside = directory + "/.\(rawValue).link"
        unlink(beside)
        guard symlink(version, beside) == 0 else { throw failure("made", path) }
        guard rename(beside, path) == 0 else {
            let error = failure("flipped", path)
            unlink(beside)
            throw error
        }
        try DurableFile.synchroniseDirectory(directory)
    }

    private func failure(_ what: String, _ path: String) -> UnderstudyError {
        UnderstudyError(
            .writing(errno, else: .cannotCreate), "the link can't be \(what): \(String(cString: strerror(errno)))",
            at: path)
    }
}
