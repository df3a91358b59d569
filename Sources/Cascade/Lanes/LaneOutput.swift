import Diagnostics
import Streams

/// Takes the finished jobs of a lane, on the lane's writer thread.
public protocol LaneOutput: AnyObject, Sendable {
    /// Delivers the records collected by the job's routes. Called in the order of the lines, unless the lane is
    /// unordered. Returns false if the output is closed; the lane is then abandoned.
    func deliver(_ job: CascadeJob) -> Bool
}

/// How the reading of a lane ended.
public struct LaneEnding: Sendable {
    public enum Cause: Sendable, Equatable {
        case endOfInput
        case stopped
        /// The output abandoned the lane.
        case abandoned
    }

    public var cause: Cause
    /// Bytes read of a line whose end was not reached because reading stopped.
    public var unfinishedBytes: UInt64 = 0
    /// The stored part of these bytes; empty for a line that is too long.
    public var unfinished: [UInt8] = []
    public var failure: UnderstudyError?
}

/// Options for reading the lines of one source.
public struct LaneOptions: Sendable {
    /// The source's name in records and ids.
    public var source: String
    public var input: InputForm
    public var encoding: TextEncoding
    public var maximumLineBytes: Int
    /// Whether answers keep the order of the lines. If not, other lines overtake deferred ones.
    public var isOrdered: Bool

    public init(
        source: String, input: InputForm = .line, encoding: TextEncoding = .utf8,
        maximumLineBytes: Int = LineFramer.defaultMaximumLineBytes,
        isOrdered: Bool = true
    ) {
        self.source = source
        self.input = input
        self.encoding = encoding
        self.maximumLineBytes = maximumLineBytes
        self.isOrdered = isOrdered
    }

    static func check(maximumLineBytes: Int) throws(UnderstudyError) {
        guard (1...LineFramer.greatestMaximumLineBytes).contains(maximumLineBytes) else {
            throw UnderstudyError(
                .usage, "the maximum line length must be from 1 to \(LineFramer.greatestMaximumLineBytes) bytes")
        }
    }
}
