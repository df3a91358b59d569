/// Is told what isn't in the tallies of finished jobs. Called by workers: be quick.
public protocol CascadeObserver: AnyObject, Sendable {
    /// The teacher has scored so many lines.
    func teacherPassed(lines: Int, nanoseconds: UInt64)
    func circuitChanged(_ circuit: TeacherCircuit)
}

/// For those who don't want to know.
final class NoObserver: CascadeObserver {
    func teacherPassed(lines: Int, nanoseconds: UInt64) {}
    func circuitChanged(_ circuit: TeacherCircuit) {}
}
