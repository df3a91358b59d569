import CFiles
import Glibc

/// The system calls of a directory source. Tests replace them to simulate errors, short reads and limits.
package struct DirectoryCalls: Sendable {
    /// Returns a descriptor of inotify, or a negative value with errno.
    package var initialise: @Sendable () -> Int32 = { inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC)) }
    /// Returns a watch's number, or a negative value with errno.
    package var add: @Sendable (_ descriptor: Int32, _ path: String, _ mask: UInt32) -> Int32 = {
        inotify_add_watch($0, $1, $2)
    }
    /// Reads events of inotify; as read(2).
    package var events: @Sendable (_ descriptor: Int32, _ room: UnsafeMutableRawBufferPointer) -> Int = {
        Glibc.read($0, $1.baseAddress, $1.count)
    }
    /// Opens a file for reading. Returns a descriptor, or a negative value with errno. Symbolic links are followed.
    package var open: @Sendable (_ path: String) -> Int32 = {
        Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    }
    /// Reads a file; as pread(2).
    package var read: @Sendable (_ descriptor: Int32, _ room: UnsafeMutableRawBufferPointer, _ offset: UInt64) -> Int =
        { pread($0, $1.baseAddress, $1.count, off_t($2)) }
    /// The status of a name or, if `follows`, of its target. Returns 0 or the errno.
    package var status: @Sendable (_ path: String, _ follows: Bool, _ status: inout understudy_status) -> Int32 = {
        $1 ? understudy_status_of_target($0, &$2) : understudy_status_of_path($0, &$2)
    }
    /// The status of an open file. Returns 0 or the errno.
    package var descriptorStatus: @Sendable (_ descriptor: Int32, _ status: inout understudy_status) -> Int32 = {
        understudy_status_of_descriptor($0, &$1)
    }
    /// Calls `body` with each name in a directory. Returns 0 or the errno, possibly after some names.
    package var list: @Sendable (_ directory: String, _ body: (UnsafeRawBufferPointer) -> Void) -> Int32 = {
        directory, body in
        guard let stream = opendir(directory) else { return errno }
        defer { closedir(stream) }
        while true {
            // readdir(3) returns NULL both at the end and on error: only errno tells them apart.
            errno = 0
            guard let entry = readdir(stream) else { return errno }
            withUnsafeBytes(of: &entry.pointee.d_name) { name in
                body(UnsafeRawBufferPointer(rebasing: name.prefix { $0 != 0 }))
            }
        }
    }
    /// The offset of the next data outside a hole; negative with errno, ENXIO if there is none.
    package var nextData: @Sendable (_ descriptor: Int32, _ offset: UInt64) -> Int64 = {
        understudy_next_data($0, Int64($1))
    }

    /// Syncs the names in a directory to the disk. Returns 0 or the errno.
    package var synchronise: @Sendable (_ directory: String) -> Int32 = { DirectorySync.number($0) }

    package init() {}
}
