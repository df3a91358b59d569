/// A named pipe to read from.
public struct FIFOSettings: Sendable, Equatable {
    public var path: String
    /// Mode bits of the pipe when it has to be made, at most 0o777.
    public var permissions: UInt32
    /// nil: lines aren't written ahead.
    public var spool: SpoolSettings?
}
