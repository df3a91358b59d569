import Diagnostics
import Glibc

/// The lock under which a registry changes: flock on `.lock` in its directory, waited for some seconds, since runs,
/// daemons and people change it for milliseconds only.
final class RegistryLock {
    private let descriptor: Int32
    private static let patience = 5.0

    /// Errors: `tryAgain` where another process holds it all that time; `cannotCreate`.
    init(directory: String) throws(UnderstudyError) {
        let path = directory + "/.lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o660)
        guard descriptor >= 0 else {
            throw UnderstudyError(
                .writing(errno, else: .cannotCreate), "can't be opened: \(String(cString: strerror(errno)))", at: path)
        }
        let begun = ContinuousClock.now
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR, begun.duration(to: .now) < .seconds(Self.patience) else {
                close(descriptor)
                throw UnderstudyError(.tryAgain, "another process is changing this registry; try again", at: path)
            }
            usleep(20_000)
        }
    }

    deinit { FileLock.release(closing: descriptor) }
}
