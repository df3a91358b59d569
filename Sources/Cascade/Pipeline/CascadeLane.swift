import Diagnostics
import Streams
import Synchronization

/// The state of one source in the cascade: lines read ahead, jobs in flight, order of the answers.
///
/// `@unchecked Sendable`: the constants never change; `state` is accessed only under the board's lock.
public final class CascadeLane: @unchecked Sendable {
    /// State guarded by the board's lock.
    struct State {
        var pending: RecordRing
        /// Lines that the reader has framed but not yet pushed for lack of room.
        var unpushed = 0
        /// Whether the reader waits for lines to be delivered, rather than taken by a worker.
        var readerAwaitsDelivery = false
        var readTimes = ReadTimes()
        var origins = OriginTable()
        /// Number of undecoded records of each chunk, plus one while the reader fills it.
        var chunkUses: [Int]
        var freeChunks: [Int32]
        var freeJobs: [CascadeJob]
        /// Finished jobs by sequence, modulo the number of jobs.
        var finished: [CascadeJob?]
        /// In an unordered lane: jobs whose late lines are ready, in order of completion.
        var rests: [CascadeJob] = []
        /// Jobs with lines that wait for the teacher, oldest first.
        var waitingJobs: [CascadeJob] = []
        var nextSequence = 0
        var nextToWrite = 0
        /// Jobs taken and not yet recycled.
        var jobsInFlight = 0
        /// The lines in these jobs.
        var linesInFlight = 0
        var routes: AnswerRoutes
        var inputHasEnded = false
        var isAbandoned = false

        /// Lines read and not yet delivered.
        var linesUnderWay: Int { unpushed + pending.count + linesInFlight }

        var isOver: Bool {
            isAbandoned || inputHasEnded && pending.count == 0 && jobsInFlight == 0
        }
    }

    public let options: LaneOptions
    public let output: any LaneOutput
    let routing: any AnswerRouting
    let source: any StreamSource
    let chunks: ChunkPool
    let jobs: Int
    /// The lane's index on the board, which also selects the conditions that its threads wait for.
    let slot: Int
    var state: State

    init(
        slot: Int, options: LaneOptions, sizes: CascadeOptions, source: any StreamSource, output: any LaneOutput,
        routing: any AnswerRouting, routes: AnswerRoutes
    ) {
        self.slot = slot
        self.options = options
        self.source = source
        self.output = output
        self.routing = routing
        jobs = sizes.jobs
        // An unfinished line takes at most a quarter of a chunk, so that moving it is cheap.
        let unfinished = LineFramer(maximumLineBytes: options.maximumLineBytes).greatestUnfinished
        chunks = ChunkPool(count: sizes.chunks, chunkBytes: max(sizes.chunkBytes, 4 * unfinished))
        state = State(
            pending: RecordRing(capacity: sizes.pendingLines),
            chunkUses: Array(repeating: 0, count: sizes.chunks),
            freeChunks: Array((0..<Int32(sizes.chunks)).reversed()),
            freeJobs: (0..<sizes.jobs).map { _ in CascadeJob(capacity: sizes.studentLines) },
            finished: Array(repeating: nil, count: sizes.jobs), routes: routes)
    }
}

/// A queue of records with a fixed capacity. Guarded by the board's lock.
struct RecordRing: Sendable {
    private var storage: [Record]
    private var head = 0
    private(set) var count = 0

    init(capacity: Int) {
        storage = Array(
            repeating: Record(offset: 0, number: 0, start: 0, length: 0, chunk: 0), count: max(capacity, 1))
    }

    var room: Int { storage.count - count }

    /// Appends `records`, which must fit.
    mutating func push(_ records: ArraySlice<Record>) {
        precondition(records.count <= room)
        var place = head + count
        for record in records {
            if place >= storage.count { place -= storage.count }
            storage[place] = record
            place += 1
        }
        count += records.count
    }

    /// Moves records from the front to `taken`: at most `lines`, all of one chunk and one origin, and at most `bytes`
    /// of text unless a single line is longer.
    mutating func pop(lines: Int, bytes: Int, into taken: inout [Record]) {
        var sum = 0
        var moved = 0
        while moved < min(lines, count) {
            let place = head + moved < storage.count ? head + moved : head + moved - storage.count
            let record = storage[place]
            if moved > 0 {
                let isOther = record.chunk != taken[0].chunk || record.origin != taken[0].origin
                if isOther || sum + record.keptLength > bytes { break }
            }
            sum += record.keptLength
            taken.append(record)
            moved += 1
        }
        head = (head + moved) % storage.count
        count -= moved
    }
}

/// The origins of a lane's pending records, by slot. Guarded by the board's lock.
///
/// A slot is retained by the reader while it reads the origin, and by each record that hasn't been taken.
struct OriginTable: Sendable {
    private struct Slot: Sendable {
        var origin: SourceOrigin?
        var uses = 0
    }

    private var slots: [Slot] = []
    private var free: [Int32] = []

    /// Returns the slot of an origin that the reader has opened.
    mutating func open(_ origin: SourceOrigin) -> Int32 {
        if let slot = free.popLast() {
            slots[Int(slot)] = Slot(origin: origin, uses: 1)
            return slot
        }
        slots.append(Slot(origin: origin, uses: 1))
        return Int32(slots.count - 1)
    }

    mutating func hold(_ slot: Int32, uses: Int) { slots[Int(slot)].uses += uses }

    mutating func release(_ slot: Int32, uses: Int) {
        slots[Int(slot)].uses -= uses
        if slots[Int(slot)].uses == 0 {
            slots[Int(slot)].origin = nil
            free.append(slot)
        }
    }

    subscript(slot: Int32) -> SourceOrigin? { slots[Int(slot)].origin }
}

/// The read times of queued records. Guarded by the board's lock.
///
/// There is one entry per push, at most `capacity`; beyond that the newest entry covers several pushes.
struct ReadTimes: Sendable {
    private static let capacity = 256
    private var ends = [UInt64](repeating: 0, count: capacity)
    private var times = [UInt64](repeating: 0, count: capacity)
    private var head = 0
    private var count = 0
    private var pushed: UInt64 = 0
    private var popped: UInt64 = 0

    mutating func push(_ records: Int, at time: UInt64) {
        pushed += UInt64(records)
        if count == Self.capacity {
            ends[(head + count - 1) % Self.capacity] = pushed
            return
        }
        let place = (head + count) % Self.capacity
        ends[place] = pushed
        times[place] = time
        count += 1
    }

    /// Removes `records` from the front. Returns the time when the first of them was read.
    mutating func pop(_ records: Int) -> UInt64 {
        let first = times[head]
        popped += UInt64(records)
        while count > 0, ends[head] <= popped {
            head = (head + 1) % Self.capacity
            count -= 1
        }
        return first
    }
}
