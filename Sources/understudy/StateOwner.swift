import Configuration
import Diagnostics
import Foundation
import Glibc

/// Changes root to the owner of the state directory before any work in it. A lock or report owned by root would block
/// all later runs of the service's user.
enum StateOwner {
    private struct Owner {
        var user: uid_t
        var group: gid_t
        /// nil if no user has this number.
        var name: String?

        var words: String { name.map { "'\($0)'" } ?? "number \(user)" }
    }

    /// If the process is root, continues as the owner of the state directory for the rest of the process. If the
    /// directory doesn't exist yet, the owner of the parent directory is used.
    ///
    /// - Parameter files: files of the command line that the owner must be able to read.
    ///
    /// Throws `noPermission` if the process can't become the owner, or if the owner can't read one of the files;
    /// `inputOutput` if the owner can't be determined.
    static func become(of directory: String, reading files: [String] = []) throws(UnderstudyError) {
        guard geteuid() == 0 else { return }
        let owner = try owner(of: directory)
        guard owner.user != 0 else { return }
        try take(owner, directory)
        ClassifyDescriptors.report("note: running as user \(owner.words), the owner of \(directory)")
        for file in files where file != "-" {
            guard access(file, R_OK) != 0 else { continue }
            let reason = errno
            guard reason == EACCES || reason == EPERM else { continue }
            throw UnderstudyError(
                .noPermission,
                "user \(owner.words), the owner of \(directory), can't read this; let that user read it, or copy it "
                    + "to where that user can, and run: \(command(as: owner))", at: file)
        }
    }

    static func become(_ settings: Settings, reading files: [String] = []) throws(UnderstudyError) {
        try become(of: settings.state.directory, reading: files)
    }

    private static func owner(of directory: String) throws(UnderstudyError) -> Owner {
        var path = directory
        var status = stat()
        while stat(path, &status) != 0 {
            let reason = errno
            guard reason == ENOENT || reason == ENOTDIR, path != "/", path != "." else {
                throw UnderstudyError(
                    .reading(reason, else: .inputOutput),
                    "the owner of this can't be determined: \(String(cString: strerror(reason)))", at: path)
            }
            while path.count > 1, path.hasSuffix("/") { path.removeLast() }
            guard let slash = path.lastIndex(of: "/") else {
                path = "."
                continue
            }
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
        var owner = Owner(user: status.st_uid, group: status.st_gid, name: nil)
        if let entry = getpwuid(status.st_uid) {
            owner.name = String(cString: entry.pointee.pw_name)
            owner.group = entry.pointee.pw_gid
        }
        return owner
    }

    /// Sets the groups first, because that needs root's rights. The change can't be undone.
    private static func take(_ owner: Owner, _ directory: String) throws(UnderstudyError) {
        let groups = [owner.group]
        let isTaken =
            setgid(owner.group) == 0
            && (owner.name.map { initgroups($0, owner.group) } ?? setgroups(groups.count, groups)) == 0
            && setuid(owner.user) == 0
        let reason = errno
        guard isTaken, getuid() == owner.user, geteuid() == owner.user, getgid() == owner.group,
            getegid() == owner.group, setuid(0) != 0
        else {
            throw UnderstudyError(
                .noPermission,
                "this belongs to user \(owner.words), and root can't switch to that user here "
                    + "(\(isTaken ? "root's rights remain" : String(cString: strerror(reason)))); run: "
                    + command(as: owner), at: directory)
        }
    }

    private static func command(as owner: Owner) -> String {
        let words = ["sudo", "-u", owner.name ?? "#\(owner.user)"] + CommandLine.arguments
        let plain = CharacterSet(charactersIn: "-_./:=+,@%").union(.alphanumerics)
        return words.map { word in
            !word.isEmpty && word.unicodeScalars.allSatisfy(plain.contains)
                ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
        }.joined(separator: " ")
    }
}
