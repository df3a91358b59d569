import CFiles
import Glibc

/// A system call failed, so that a property of a file is unknown.
///
/// It never means "deleted" or "another file": the call is repeated later.
package struct CannotTell: Error, Equatable {
    /// The errno.
    package var number: Int32

    package var reason: String { String(cString: strerror(number)) }

    /// Whether a retry can't succeed until permissions are changed.
    package var isForbidden: Bool { number == EACCES || number == EPERM }
}

/// A file's identity, size and times from the file system.
package struct FileStatus: Sendable, Equatable {
    /// Device and inode of a file; the file system may reuse them once the file is deleted.
    package struct Node: Sendable, Hashable {
        package var device: UInt64
        package var inode: UInt64

        package init(device: UInt64, inode: UInt64) {
            self.device = device
            self.inode = inode
        }
    }

    package var node: Node
    /// Bytes.
    package var size: UInt64
    /// Nanoseconds since 1970: last change of the content, last change of anything, and creation (0 if not recorded).
    package var modified: Int64
    package var changed: Int64
    package var born: Int64
    package var links: UInt64
    package var isRegular: Bool
    package var isDirectory: Bool
    package var isLink: Bool

    private init(_ status: understudy_status) {
        node = Node(device: status.device, inode: status.inode)
        size = status.size
        modified = status.modified
        changed = status.changed
        born = status.born
        links = status.links
        isRegular = status.is_regular != 0
        isDirectory = status.is_directory != 0
        isLink = status.is_link != 0
    }

    /// The status of a name; nil if it doesn't exist. A symbolic link isn't followed, unless `follows`.
    package init?(path: String, follows: Bool = false, _ calls: DirectoryCalls) throws(CannotTell) {
        var status = understudy_status()
        switch calls.status(path, follows, &status) {
        case 0: self.init(status)
        case ENOENT, ENOTDIR: return nil
        case let number: throw CannotTell(number: number)
        }
    }

    package init(_ file: OpenFile) throws(CannotTell) {
        var status = understudy_status()
        let number = file.calls.descriptorStatus(file.descriptor, &status)
        guard number == 0 else { throw CannotTell(number: number) }
        self.init(status)
    }

    /// Time since the content changed, in nanoseconds by the system's clock; nil if that is in the future.
    var age: UInt64? {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let age = Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec) - modified
        return age >= 0 ? UInt64(age) : nil
    }
}

/// The path without symbolic links; nil if there is nothing.
func realPath(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(validatingCString: real)
}
