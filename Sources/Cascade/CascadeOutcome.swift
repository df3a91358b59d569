import Diagnostics

/// How a run ended, and what was written by then.
public struct CascadeOutcome: Sendable {
    public enum Ending: Sendable, Equatable {
        /// The source ended, and every line was answered.
        case endOfInput
        /// Reading was stopped, and every line read by then was answered.
        case stopped
        /// Nobody takes the answers any more; lines in flight were dropped.
        case outputClosed
    }

    public var ending: Ending
    public var tally: CascadeTally
    /// Bytes read of a line whose end was never seen because reading was stopped. They got no answer.
    public var unfinishedBytes: UInt64
    /// What made the run end early, if something went wrong.
    public var failure: UnderstudyError?
}
