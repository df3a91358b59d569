import Glibc
import Synchronization

/// Lets SIGINT and SIGTERM end long work between two steps, so that what is best so far can be kept.
enum Interruption {
    private static let asked = Atomic(false)

    /// From now on the first signal only asks; the second ends the process as usual.
    static func begin() {
        // Whoever starts this program may have blocked them, and a mask is inherited.
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGTERM)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                // Both calls are allowed in a signal handler: a lock-free store and signal(2).
                Interruption.asked.store(true, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }

    static var wasAsked: Bool { asked.load(ordering: .relaxed) }
}
