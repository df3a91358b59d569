import Diagnostics
import Glibc

/// What a directory holds now.
struct DirectoryListing {
    struct Entry {
        var path: String
        var status: FileStatus
    }

    var files: [Entry] = []
    var directories: [String] = []
    /// Symbolic links; what they lead to wasn't looked at.
    var links: [String] = []
    /// Names that are there and couldn't be looked at.
    var unknown: [(path: String, why: CannotTell)] = []
    /// Whether a name isn't UTF-8: it can't be said in a configuration, a log or a status page.
    var hasUnreadableName = false

    /// nil if there is no such directory.
    init?(of directory: String, _ calls: DirectoryCalls) throws(CannotTell) {
        var names: [String] = []
        var hasUnreadableName = false
        let number = calls.list(directory) { bytes in
            if let name = String(validating: bytes, as: UTF8.self) {
                names.append(name)
            } else {
                hasUnreadableName = true
            }
        }
        switch number {
        case 0: break
        case ENOENT, ENOTDIR: return nil
        default: throw CannotTell(number: number)
        }
        self.hasUnreadableName = hasUnreadableName
        for name in names where name != "." && name != ".." {
            let path = directory + "/" + name
            do throws(CannotTell) {
                // A name that has gone meanwhile is told of by the watch.
                guard let status = try FileStatus(path: path, calls) else { continue }
                if status.isDirectory {
                    directories.append(path)
                } else if status.isRegular {
                    files.append(Entry(path: path, status: status))
                } else if status.isLink {
                    links.append(path)
                }
            } catch {
                unknown.append((path, error))
            }
        }
    }
}
