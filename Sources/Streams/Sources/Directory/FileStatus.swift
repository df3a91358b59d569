import CFiles
import Glibc

/// What the file system says of a file: which it is, how long, and when it changed.
struct FileStatus: Sendable, Equatable {
    /// A file system's own name of a file; it may be given to another one once the file is gone.
    struct Node: Sendable, Hashable {
        var device: UInt64
        var inode: UInt64
    }

    var node: Node
    /// Bytes.
    var size: UInt64
    /// Nanoseconds since 1970: of the content, of anything, and of the file's making (0 where that isn't kept).
    var modified: Int64
    var changed: Int64
    var born: Int64
    var links: UInt64
    var isRegular: Bool
    var isDirectory: Bool

    private init(_ status: understudy_status) {
        node = Node(device: status.device, inode: status.inode)
        size = status.size
        modified = status.modified
        changed = status.changed
        born = status.born
        links = status.links
        isRegular = status.is_regular != 0
        isDirectory = status.is_directory != 0
    }

    /// nil if there is no such name, or it can't be reached. A symbolic link is what it is, not what it points to.
    init?(path: String) {
        var status = understudy_status()
        guard understudy_status_of_path(path, &status) == 0 else { return nil }
        self.init(status)
    }

    init?(descriptor: Int32) {
        var status = understudy_status()
        guard understudy_status_of_descriptor(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    /// How long ago the content changed, in nanoseconds by the system's clock; nil if it says in the future.
    var age: UInt64? {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let age = Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec) - modified
        return age >= 0 ? UInt64(age) : nil
    }
}
