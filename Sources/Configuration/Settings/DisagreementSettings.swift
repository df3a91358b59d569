/// How much of the disagreement log is kept.
public struct DisagreementSettings: Sendable, Equatable {
    public var keepDays: Int
    public var keepRows: Int
}
