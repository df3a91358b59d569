import Diagnostics
import Glibc
import Tensors

/// The links of a registry: relative symbolic links to a version beside them.
enum RegistryLink: String, CaseIterable {
    case current
    case previous
    case shadow

    /// The version that it leads to; nil where it isn't there or leads out of the registry.
    func target(in directory: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = readlink(directory + "/" + rawValue, &buffer, Int(PATH_MAX))
        guard count > 0 else { return nil }
        let name = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return VersionName.isValid(name) ? name : nil
    }

    /// Whether there is such a link, wherever it leads.
    func exists(in directory: String) -> Bool {
        var status = stat()
        return lstat(directory + "/" + rawValue, &status) == 0
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
        guard target(in: directory) != version else { return }
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
