import Glibc

/// The system calls of a directory source that run into limits and permissions; a test puts others in their place.
package struct DirectoryCalls: Sendable {
    /// A descriptor of inotify, or negative with errno.
    package var initialise: @Sendable () -> Int32 = { inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC)) }
    /// A watch's number, or negative with errno.
    package var add: @Sendable (_ descriptor: Int32, _ path: String, _ mask: UInt32) -> Int32 = {
        inotify_add_watch($0, $1, $2)
    }
    /// A descriptor of a file to be read, or negative with errno.
    package var open: @Sendable (_ path: String) -> Int32 = {
        Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
    }

    package init() {}
}
