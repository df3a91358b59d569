/// The circuit breaker in front of the teacher.
public enum CircuitState: String, Sendable, CaseIterable, Codable {
    /// The teacher is asked.
    case closed
    /// One probe is under way; everything else is answered by the student.
    case halfOpen = "half_open"
    /// The teacher failed and is left alone for a while.
    case open

    /// The value of the metric.
    public var number: Int {
        switch self {
        case .closed: 0
        case .halfOpen: 1
        case .open: 2
        }
    }
}
