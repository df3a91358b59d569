/// What a client of the status server may take.
public struct ServerLimits: Sendable {
    /// Connections at once: far more than the few that ask, far fewer than the descriptors a process may have.
    public var connections = 64
    /// Bytes of a request's head.
    public var headBytes = 8192
    /// For each of: sending the request, computing the answer, taking the answer, in seconds.
    public var stepSeconds = 5.0
    /// A client that has said nothing for that long makes way for another when all connections are taken.
    public var graceSeconds = 0.1
    /// After a failed accept(2), as for want of descriptors, until the next.
    public var pauseSeconds = 0.1
    /// Bytes of a request's body that are read and thrown away, so that the answer isn't lost to a reset.
    public var discardedBytes = 1_048_576

    public init() {}
}
