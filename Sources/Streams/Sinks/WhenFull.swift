/// What a flow sink does while the other side is full or isn't there.
public enum WhenFull: Sendable, Equatable {
    /// Waits: the source is slowed down.
    case block
    /// Lets whole deliveries go by.
    case drop
}
