/// Where the daemon's life stands.
public enum ServicePhase: String, Sendable, Codable, CaseIterable {
    /// Models are loaded and warmed, sources aren't read yet.
    case starting
    /// Lines are read and answered.
    case ready
    /// Lines are answered while the configuration or a model changes.
    case reloading
    /// Nothing is read any more; what was read is answered.
    case draining
    /// The work has stopped and doesn't go on by itself.
    case failed
}
