import Glibc

/// The two system calls of a watch that run into limits; a test puts others in their place.
package struct WatchCalls: Sendable {
    /// A descriptor, or negative with errno.
    package var initialise: @Sendable () -> Int32
    /// A watch's number, or negative with errno.
    package var add: @Sendable (_ descriptor: Int32, _ path: String, _ mask: UInt32) -> Int32

    package init(
        initialise: @escaping @Sendable () -> Int32 = { inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC)) },
        add: @escaping @Sendable (Int32, String, UInt32) -> Int32 = { inotify_add_watch($0, $1, $2) }
    ) {
        self.initialise = initialise
        self.add = add
    }
}
