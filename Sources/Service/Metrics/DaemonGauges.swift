/// How full things are at one moment; read by the daemon when somebody asks, so that keeping them costs nothing.
public struct DaemonGauges: Sendable, Equatable {
    /// Lines read and not yet answered, by source.
    public var pendingLines: [String: Int] = [:]
    public var jobsInFlight = 0
    /// Lines that wait for the teacher.
    public var teacherQueueLines = 0
    /// Records written and not yet covered by a commit.
    public var uncommittedRecords = 0
    /// Age of the oldest of them; 0 when there is none.
    public var checkpointLagSeconds = 0.0

    public init() {}
}
