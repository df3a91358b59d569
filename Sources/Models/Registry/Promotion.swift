/// One change of the serving student.
public struct Promotion: Sendable, Equatable, Codable {
    public enum Origin: Sendable, Equatable, Codable {
        /// A run whose candidate passed the gate.
        case run(Int64)
        /// The daemon, after the candidate had answered beside the serving student.
        case shadow
        /// The daemon or a person took the student before back.
        case rollback
        case person
    }

    /// The entry for the student that the configuration names, where no version of the registry serves. No version can
    /// have this name.
    public static let configured = "(configured)"

    /// Microseconds since 1970.
    public var time: Int64
    /// A version, or `configured`.
    public var version: String
    /// What served before; nil where that was the configured student.
    public var predecessor: String?
    public var origin: Origin

    public init(time: Int64, version: String, predecessor: String?, origin: Origin) {
        self.time = time
        self.version = version
        self.predecessor = predecessor
        self.origin = origin
    }
}
