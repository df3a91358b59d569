import Cascade
import Logging

/// Takes what the engine tells to the metrics and the log.
final class EngineObserver: CascadeObserver {
    private let metrics: DaemonMetrics
    private let log: Logger

    init(metrics: DaemonMetrics, log: Logger) {
        self.metrics = metrics
        self.log = log
    }

    func teacherPassed(lines: Int, nanoseconds: UInt64) {
        metrics.recordTeacherPass(lines: lines, seconds: Double(nanoseconds) / 1e9)
    }

    func circuitChanged(_ circuit: TeacherCircuit) {
        switch circuit.state {
        case .closed:
            metrics.setCircuit(.closed)
            log.log(level: .notice, .circuitClosed, "teacher back: the teacher answers again")
        case .probing:
            metrics.setCircuit(.halfOpen)
        case .open:
            metrics.setCircuit(.open)
            log.log(level: .error, .circuitOpened, "teacher failed: the teacher failed and isn't asked for a while")
        }
    }
}
