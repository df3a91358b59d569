/// Lines of a stream are written ahead to the state directory, so that they survive a kill.
public struct SpoolSettings: Sendable, Equatable {
    /// When so much is unanswered, the source waits.
    public var maximumBytes: Int
}
