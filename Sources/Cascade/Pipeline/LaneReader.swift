import Diagnostics
import Streams

/// Reads a lane's source into chunks, frames the lines and puts their records on the board.
struct LaneReader {
    private let lane: CascadeLane
    private let board: CascadeBoard
    private let chunks: ChunkPool
    /// Where the reader stands: the chunk that it fills, up to where, and the framer of the origin that is open.
    private var chunk: Int32 = 0
    private var used = 0
    private var open: (origin: SourceOrigin, framer: LineFramer)?
    private var records: [Record] = []

    /// Records handed over at once: enough to take the lock seldom, few enough for workers to start early.
    private static let recordsAtOnce = 1024
    /// A read into less room than this isn't worth its system call; a pipe holds 64 KiB.
    private static let minimumRoom = 65_536

    init(_ lane: CascadeLane, board: CascadeBoard) {
        self.lane = lane
        self.board = board
        chunks = lane.chunks
        records.reserveCapacity(Self.recordsAtOnce)
    }

    /// Returns when there is nothing more to read, or nobody to read for.
    mutating func run() -> LaneEnding {
        let ending = readAll()
        board.endInput(of: lane)
        return ending
    }

    private mutating func readAll() -> LaneEnding {
        guard let first = board.acquireChunk(lane) else { return LaneEnding(reason: .abandoned) }
        chunk = first
        defer {
            board.releaseChunk(chunk, uses: 1, of: lane)
            if let open { board.closeOrigin(open.framer.origin, of: lane) }
        }
        while true {
            guard makeRoom() else { return LaneEnding(reason: .abandoned) }
            let event: SourceEvent
            do throws(UnderstudyError) {
                event = try lane.source.read(
                    into: UnsafeMutableRawBufferPointer(
                        start: chunks.base(chunk) + used,
                        count: min(chunks.chunkBytes - used, board.options.readBytes)))
            } catch {
                return ending(.stopped, error)
            }
            switch event {
            case .opened(let origin):
                guard begin(origin) else { return LaneEnding(reason: .abandoned) }
            case .bytes(let count):
                used += count
                guard frame() else { return LaneEnding(reason: .abandoned) }
            case .finished:
                guard finish() else { return LaneEnding(reason: .abandoned) }
            case .torn:
                guard finish(isTorn: true) else { return LaneEnding(reason: .abandoned) }
            case .end:
                return LaneEnding(reason: finish() ? .endOfInput : .abandoned)
            case .stopped:
                return ending(.stopped)
            }
        }
    }

    private func ending(_ reason: LaneEnding.Reason, _ failure: UnderstudyError? = nil) -> LaneEnding {
        var ending = LaneEnding(reason: reason, failure: failure)
        if let framer = open?.framer {
            ending.unfinishedBytes = framer.unfinishedBytes(upTo: used)
            let start = chunks.base(chunk) + framer.unfinishedStart
            let count = used - framer.unfinishedStart
            if ending.unfinishedBytes == UInt64(count) {
                ending.unfinished = Array(UnsafeBufferPointer(start: start, count: count))
            }
        }
        return ending
    }

    /// Sees to it that the chunk has room for a read that is worth while: moves on to another when it is nearly full.
    private mutating func makeRoom() -> Bool {
        guard chunks.chunkBytes - used < min(Self.minimumRoom, chunks.chunkBytes / 4) else { return true }
        guard let fresh = board.acquireChunk(lane) else { return false }
        var kept = 0
        if open != nil, let start = open?.framer.unfinishedStart {
            kept = used - start
            chunks.base(fresh).update(from: chunks.base(chunk) + start, count: kept)
            open?.framer.relocate()
        }
        board.releaseChunk(chunk, uses: 1, of: lane)
        chunk = fresh
        used = kept
        return true
    }

    /// An unfinished line of the origin before is left: its source gives it again. Of a file, word goes out that it has
    /// been begun, so that this is kept even if no line comes.
    private mutating func begin(_ origin: SourceOrigin) -> Bool {
        if let open { board.closeOrigin(open.framer.origin, of: lane) }
        let slot = board.openOrigin(origin, of: lane)
        let framer = LineFramer(
            maximumLineBytes: lane.options.maximumLineBytes, origin: slot, offset: origin.start,
            number: origin.firstLine, position: used, unit: origin.unit)
        open = (origin, framer)
        if origin.file == nil { return true }
        let opening = Record(
            offset: origin.start, number: origin.firstLine, start: 0, length: 0, chunk: chunk, origin: slot,
            kind: .opening)
        return board.push([opening], of: lane)
    }

    private mutating func frame() -> Bool {
        guard let origin = open?.origin, var framer = open?.framer else { return true }
        open = nil
        defer { open = (origin, framer) }
        // Short reads are framed at once, so that all that is read is counted as under way.
        let limit = board.options.readBytes == .max ? Self.recordsAtOnce : .max
        var hasMore = true
        while hasMore {
            records.removeAll(keepingCapacity: true)
            hasMore = framer.frame(
                chunks.base(chunk), upTo: used, chunk: chunk, into: &records, limit: limit)
            dropAnswered(origin)
            guard records.isEmpty || board.push(records, of: lane) else { return false }
        }
        return true
    }

    /// The origin has ended: a last line without a line end is a line, and after it comes word of the end.
    private mutating func finish(isTorn: Bool = false) -> Bool {
        guard let origin = open?.origin, var framer = open?.framer else { return true }
        records.removeAll(keepingCapacity: true)
        let base = chunks.base(chunk)
        let last =
            isTorn ? framer.tear(base, upTo: used, chunk: chunk) : framer.finish(base, upTo: used, chunk: chunk)
        if let last { records.append(last) }
        dropAnswered(origin)
        // A torn line and the end are one, so that neither is kept without the other.
        if records.last?.endsOrigin != true { records.append(framer.ending(chunk: chunk)) }
        let goesOn = board.push(records, of: lane)
        board.closeOrigin(framer.origin, of: lane)
        open = nil
        return goesOn
    }

    /// Lines that an earlier run has answered aren't answered again.
    private mutating func dropAnswered(_ origin: SourceOrigin) {
        guard origin.resumed > origin.start else { return }
        records.removeAll { $0.isLine && $0.offset < origin.resumed && !origin.isUnanswered($0.offset) }
    }
}

extension SourceOrigin {
    /// Whether `unanswered`, which is sorted, holds `offset`.
    fileprivate func isUnanswered(_ offset: UInt64) -> Bool {
        var low = 0
        var high = unanswered.count
        while low < high {
            let middle = (low + high) / 2
            if unanswered[middle] < offset { low = middle + 1 } else { high = middle }
        }
        return low < unanswered.count && unanswered[low] == offset
    }
}
