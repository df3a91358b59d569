import Diagnostics
import Glibc
import Tensors

/// The links of a registry: relative symbolic links to versions in the same directory.
enum RegistryLink: String, CaseIterable {
    case current
    case previous
    case shadow

    /// The version that it leads to; nil if it doesn't exist, isn't a link or leads out of the registry.
    ///
    /// Errors: `noPermission`, `inputOutput` if that can't be determined.
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

    /// Whether the link exists, whatever its target. Errors: those of `PathLookup.kind`.
    func exists(in directory: String) throws(UnderstudyError) -> Bool {
        try PathLookup.kind(of: directory + "/" + rawValue, following: false) != .absent
    }

    /// Points it to `version`, atomically and durably; nil removes it.
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
        guard symlink(version, beside) == 0 else { throw failure("created", path) }
        guard rename(beside, path) == 0 else {
            let error = failure("replaced", path)
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

/// Valid names of versions: a name is a directory's name, and part of every answer.
enum VersionName {
    private static let longest = 100

    static func isValid(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= longest, !name.hasPrefix("."), !name.hasPrefix("-") else {
            return false
        }
        if RegistryLink(rawValue: name) != nil || name == RegistryRecord.fileName { return false }
        return name.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "-_.+".unicodeScalars.contains(scalar)
        }
    }

    /// `name` reduced to its valid characters, at most 25; `student` if the rest isn't valid.
    static func made(from name: String) -> String {
        let allowed = String(
            String.UnicodeScalarView(
                name.unicodeScalars.filter { isValid("v" + String($0)) }.prefix(25)))
        return isValid(allowed) ? allowed : "student"
    }

    /// The largest number of a version; small enough that the next number never overflows.
    static let mostVersions = 1_000_000_000

    /// The number of a version made by a run: `v12`.
    static func number(_ name: String) -> Int? {
        guard name.hasPrefix("v"), name.count > 1, name.dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(name.dropFirst()), number <= mostVersions
        else { return nil }
        return number
    }
}
