import Diagnostics
import Streams

/// Takes the finished jobs of one lane, on that lane's writer thread.
public protocol LaneOutput: AnyObject, Sendable {
    /// Hands over what the job's routes have collected. In the order of the lines, unless the lane is unordered.
    /// False: nobody takes answers any more, and the lane is given up.
    func deliver(_ job: CascadeJob) -> Bool
}

/// How a lane's reading ended.
public struct LaneEnding: Sendable {
    public enum Reason: Sendable, Equatable {
        case endOfInput
        case stopped
        /// The lane was given up by its output.
        case abandoned
    }

    public var reason: Reason
    /// Bytes read of a line whose end was never seen because reading was stopped.
    public var unfinishedBytes: UInt64 = 0
    /// Those bytes, as far as they are kept: none of a line that is too long.
    public var unfinished: [UInt8] = []
    public var failure: UnderstudyError?
}
