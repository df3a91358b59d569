/// What a human says about a line.
public struct HumanLabel: Sendable, Equatable {
    /// The record's id.
    public var id: UInt64
    /// nil takes the label back.
    public var label: String?

    public init(id: UInt64, label: String?) {
        self.id = id
        self.label = label
    }

    public enum Outcome: Sendable, Equatable {
        case kept
        /// The log has no such line (any more).
        case unknownID
        /// The models of that line don't have that label.
        case unknownLabel(known: [String])
    }
}
