/// The file that lines which can't be classified go to, each with its reason.
public struct DeadLetterSettings: Sendable, Equatable {
    public var path: String
    /// Mode bits of the file when it is made, at most 0o777.
    public var permissions: UInt32
}
