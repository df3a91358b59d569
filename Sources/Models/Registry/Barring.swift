/// A version that no run and no daemon may promote again.
public struct Barring: Sendable, Equatable, Codable {
    public var version: String
    /// One sentence.
    public var reason: String
    /// Microseconds since 1970.
    public var time: Int64

    public init(version: String, reason: String, time: Int64) {
        self.version = version
        self.reason = reason
        self.time = time
    }
}
