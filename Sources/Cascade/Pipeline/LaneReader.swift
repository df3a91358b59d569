import Diagnostics
import Streams

/// Reads a lane's source into chunks, frames the lines and pushes their records to the board.
struct LaneReader {
    private let lane: CascadeLane
    private let board: CascadeBoard
    private let chunks: ChunkPool
    /// The reader's position: its chunk, the bytes used in it, and the framer of the open origin.
    private var chunk: Int32 = 0
    private var used = 0
    private var open: (origin: SourceOrigin, framer: LineFramer)?
    private var records: [Record] = []

    /// Records pushed at once: enough for few lock operations, few enough for workers to start early.
    private static let recordsAtOnce = 1024
    /// Minimum room for a read to be worth its system call; a pipe holds 64 KiB.
    private static let minimumRoom = 65_536

    init(_ lane: CascadeLane, board: CascadeBoard) {
        self.lane = lane
        self.board = board
        chunks = lane.chunks
        records.reserveCapacity(Self.recordsAtOnce)
    }

    /// Reads until the source ends or the lane is abandoned.
    mutating func run() -> LaneEnding {
        let ending = readAll()
        endInput()
        return ending
    }

    private mutating func readAll() -> LaneEnding {
        guard let first = acquireChunk() else { return LaneEnding(cause: .abandoned) }
        chunk = first
        defer {
            board.releaseChunk(chunk, uses: 1, of: lane)
            if let open { close(open.framer.origin) }
        }
        while true {
            guard makeRoom() else { return LaneEnding(cause: .abandoned) }
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
                guard begin(origin) else { return LaneEnding(cause: .abandoned) }
            case .bytes(let count):
                used += count
                guard frame() else { return LaneEnding(cause: .abandoned) }
            case .finished:
                guard finish() else { return LaneEnding(cause: .abandoned) }
            case .torn:
                guard finish(isTorn: true) else { return LaneEnding(cause: .abandoned) }
            case .end:
                return LaneEnding(cause: finish() ? .endOfInput : .abandoned)
            case .stopped:
                return ending(.stopped)
            }
        }
    }

    private func ending(_ cause: LaneEnding.Cause, _ failure: UnderstudyError? = nil) -> LaneEnding {
        var ending = LaneEnding(cause: cause, failure: failure)
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

    /// Ensures that the chunk has room for an efficient read, and changes to another chunk when it is nearly full.
    private mutating func makeRoom() -> Bool {
        guard chunks.chunkBytes - used < min(Self.minimumRoom, chunks.chunkBytes / 4) else { return true }
        guard let fresh = acquireChunk() else { return false }
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

    /// Begins an origin. An unfinished line of the previous origin is dropped; its source returns it again. For a file
    /// a record of its opening is pushed, so that its start is stored even without any line.
    private mutating func begin(_ origin: SourceOrigin) -> Bool {
        if let open { close(open.framer.origin) }
        let slot = board.monitor.withLock { _ in lane.queue.openOrigin(origin) }
        let framer = LineFramer(
            maximumLineBytes: lane.options.maximumLineBytes, origin: slot, offset: origin.start,
            number: origin.firstLine, position: used, unit: origin.unit)
        open = (origin, framer)
        if origin.file == nil { return true }
        let opening = Record(
            offset: origin.start, number: origin.firstLine, start: 0, length: 0, chunk: chunk, origin: slot,
            kind: .opening)
        return push([opening])
    }

    private mutating func frame() -> Bool {
        guard let origin = open?.origin, var framer = open?.framer else { return true }
        open = nil
        defer { open = (origin, framer) }
        // Short reads are framed at once, so that all bytes read count as under way.
        let limit = board.options.readBytes == .max ? Self.recordsAtOnce : .max
        var hasMore = true
        while hasMore {
            records.removeAll(keepingCapacity: true)
            hasMore = framer.frame(
                chunks.base(chunk), upTo: used, chunk: chunk, into: &records, limit: limit)
            dropAnswered(origin)
            guard records.isEmpty || push(records) else { return false }
        }
        return true
    }

    /// Ends the origin. A last line without a line end is a line. A record of the end follows it.
    private mutating func finish(isTorn: Bool = false) -> Bool {
        guard let origin = open?.origin, var framer = open?.framer else { return true }
        records.removeAll(keepingCapacity: true)
        let base = chunks.base(chunk)
        let last =
            isTorn ? framer.tear(base, upTo: used, chunk: chunk) : framer.finish(base, upTo: used, chunk: chunk)
        if let last { records.append(last) }
        dropAnswered(origin)
        // A torn line and the end are one record, so that both are stored together.
        if records.last?.endsOrigin != true { records.append(framer.ending(chunk: chunk)) }
        let goesOn = push(records)
        close(framer.origin)
        open = nil
        return goesOn
    }

    /// Drops lines that an earlier run has answered.
    private mutating func dropAnswered(_ origin: SourceOrigin) {
        guard origin.resumed > origin.start else { return }
        records.removeAll { $0.isLine && $0.offset < origin.resumed && !origin.isUnanswered($0.offset) }
    }

    // MARK: The board

    /// Waits for a chunk to read into. Returns nil if the lane has been abandoned.
    private func acquireChunk() -> Int32? {
        board.monitor.wait(on: CascadeBoard.Signal.room(lane)) { _ -> Int32?? in
            if lane.queue.isAbandoned { return .some(nil) }
            return lane.queue.takeChunk().map(Optional.some)
        }
    }

    private func close(_ origin: Int32) {
        board.monitor.withLock { _ in lane.queue.closeOrigin(origin) }
    }

    /// Gives records of one chunk and one origin to the workers, and waits for room. Returns false if the lane has been
    /// abandoned.
    private func push(_ records: [Record]) -> Bool {
        let now = Monotonic.nanoseconds
        let linesAhead = board.options.linesAhead
        var done = 0
        while done < records.count {
            let (moved, wakes) = board.monitor.wait(on: CascadeBoard.Signal.room(lane)) { state -> (Int, Bool)? in
                if lane.queue.isAbandoned { return (0, false) }
                let moved = lane.queue.push(records[done...], at: now, linesAhead: linesAhead)
                return moved > 0 ? (moved, state.workers.idleStudents > 0) : nil
            }
            if moved == 0 { return false }
            if wakes { board.monitor.broadcast(CascadeBoard.Signal.work) }
            done += moved
        }
        return true
    }

    private func endInput() {
        board.monitor.withLock { _ in lane.queue.inputHasEnded = true }
        board.wakeWorkers()
        board.monitor.signal(CascadeBoard.Signal.output(lane))
    }
}

extension SourceOrigin {
    /// Returns whether `unanswered`, which is sorted, contains `offset`.
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
