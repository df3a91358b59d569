import CFiles
import Glibc

/// The system calls of a directory source. A test puts others in their place to make them fail, come short or run into
/// limits.
package struct DirectoryCalls: Sendable {
    /// A descriptor of inotify, or negative with errno.
    package var initialise: @Sendable () -> Int32 = { inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC)) }
    /// A watch's number, or negative with errno.
    package var add: @Sendable (_ descriptor: Int32, _ path: String, _ mask: UInt32) -> Int32 = {
        inotify_add_watch($0, $1, $2)
    }
    /// Reads events of inotify; as read(2).
    package var events: @Sendable (_ descriptor: Int32, _ room: UnsafeMutableRawBufferPointer) -> Int = {
        Glibc.read($0, $1.baseAddress, $1.count)
    }
    /// A descriptor of a file to be read, or negative with errno. Symbolic links are followed.
    package var open: @Sendable (_ path: String) -> Int32 = {
        Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    }
    /// Reads a file; as pread(2).
    package var read: @Sendable (_ descriptor: Int32, _ room: UnsafeMutableRawBufferPointer, _ offset: UInt64) -> Int =
        { pread($0, $1.baseAddress, $1.count, off_t($2)) }
    /// The status of a name, or with `follows` of what it leads to. 0, or the errno.
    package var status: @Sendable (_ path: String, _ follows: Bool, _ status: inout understudy_status) -> Int32 = {
        $1 ? understudy_status_of_target($0, &$2) : understudy_status_of_path($0, &$2)
    }
    /// The status of an open file. 0, or the errno.
    package var descriptorStatus: @Sendable (_ descriptor: Int32, _ status: inout understudy_status) -> Int32 = {
        understudy_status_of_descriptor($0, &$1)
    }
    /// Calls `body` with each name in a directory. 0, or the errno; there may have been names before it.
    package var list: @Sendable (_ directory: String, _ body: (UnsafeRawBufferPointer) -> Void) -> Int32 = {
        directory, body in
        guard let stream = opendir(directory) else { return errno }
        defer { closedir(stream) }
        while true {
            // The end and an error both give NULL: only errno tells them apart (readdir(3)).
            errno = 0
            guard let entry = readdir(stream) else { return errno }
            withUnsafeBytes(of: &entry.pointee.d_name) { name in
                body(UnsafeRawBufferPointer(rebasing: name.prefix { $0 != 0 }))
            }
        }
    }
    /// Where the next bytes are that are no hole; negative with errno, ENXIO where there are none.
    package var nextData: @Sendable (_ descriptor: Int32, _ offset: UInt64) -> Int64 = {
        understudy_next_data($0, Int64($1))
    }

    /// Forces the names in a directory to the disk. 0, or the errno.
    package var synchronise: @Sendable (_ directory: String) -> Int32 = { path in
        var outcome: Int32
        repeat {
            let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            outcome = descriptor >= 0 && fsync(descriptor) == 0 ? 0 : errno
            if descriptor >= 0 { close(descriptor) }
        } while outcome == EINTR
        return outcome
    }

    package init() {}
}
