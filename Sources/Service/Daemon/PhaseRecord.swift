import Glibc
import Synchronization

/// Where the daemon's life stands, for whoever asks.
final class PhaseRecord: Sendable {
    struct Entry: Sendable {
        var phase = ServicePhase.starting
        /// Seconds since 1970.
        var since = Double(time(nil))
        var message = ""
        var warning: String?
        /// Why the student that should answer doesn't, and another answers in its place.
        var refusedStudent: String?
        /// Why the work is stuck.
        var stuck: String?
    }

    private let entry = Mutex(Entry())

    func enter(_ phase: ServicePhase, message: String = "") {
        entry.withLock { entry in
            entry.phase = phase
            entry.since = Double(time(nil))
            entry.message = message
        }
    }

    func note(warning: String?) { entry.withLock { $0.warning = warning } }
    func note(refusedStudent: String?) { entry.withLock { $0.refusedStudent = refusedStudent } }
    func note(stuck: String?) { entry.withLock { $0.stuck = stuck } }
    var current: Entry { entry.withLock { $0 } }
}
