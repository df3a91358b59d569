/// A version in the registry.
public struct RegistryEntry: Sendable, Equatable {
    public var version: String
    public var directory: String
    /// nil where `lineage.json` is missing or damaged.
    public var lineage: StudentLineage?
    public var barring: Barring?
    /// What is wrong with it at first sight; nil: nothing.
    public var flaw: String?
}
