/// Which answers a sink takes. All conditions must hold.
public struct SinkFilter: Sendable, Equatable {
    public enum By: String, Sendable, CaseIterable {
        case any
        case student
        case teacher
    }

    /// Empty: any label.
    public var labels: [String]
    /// Names of sources; empty: any source.
    public var sources: [String]
    /// Whose answers.
    public var by: By
    /// 0 … 1.
    public var minimumConfidence: Double
}
