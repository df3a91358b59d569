import Diagnostics
import Streams

/// Collects what was reported.
struct FlowReports: Sendable {
    private let monitor = Monitor([UnderstudyError]())

    var all: [UnderstudyError] { monitor.withLock { $0 } }

    var report: @Sendable (UnderstudyError) -> Void {
        let monitor = monitor
        return { error in monitor.withLock { $0.append(error) } }
    }
}
