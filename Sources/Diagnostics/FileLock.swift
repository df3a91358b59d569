import Glibc

/// Releases a lock that flock(2) has put on a file.
public enum FileLock {
    /// Unlocks the file behind `descriptor`, whether it is locked or not, and closes the descriptor.
    ///
    /// The lock is a property of the open file, which a process that is being started shares until it executes its
    /// program: `O_CLOEXEC` takes effect only then. Closing alone would keep the file locked until that moment.
    public static func release(closing descriptor: Int32) {
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
