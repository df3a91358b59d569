import Diagnostics

/// Where finished bytes go.
public protocol ByteSink: Sendable {
    /// Writes all of `bytes`; returns when they have been handed over. A slow sink makes its caller wait.
    ///
    /// `.closed` when nobody reads any more: a reason to stop, not an error.
    func write(_ bytes: UnsafeBufferPointer<UInt8>) throws(UnderstudyError) -> SinkOutcome
}

public enum SinkOutcome: Sendable, Equatable {
    case written
    case closed
}
