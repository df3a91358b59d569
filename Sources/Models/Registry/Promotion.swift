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

    /// Microseconds since 1970.
    public var time: Int64
    public var version: String
    /// What served before; nil for the first.
    public var predecessor: String?
    public var origin: Origin

    public init(time: Int64, version: String, predecessor: String?, origin: Origin) {
        self.time = time
        self.version = version
        self.predecessor = predecessor
        self.origin = origin
    }
}
