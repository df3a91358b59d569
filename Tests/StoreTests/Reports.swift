import Diagnostics
import Synchronization

/// Keeps what is reported.
final class Reports: Sendable {
    private let kept = Mutex<[UnderstudyError]>([])

    var all: [UnderstudyError] { kept.withLock { $0 } }

    @Sendable func add(_ error: UnderstudyError) { kept.withLock { $0.append(error) } }
}
