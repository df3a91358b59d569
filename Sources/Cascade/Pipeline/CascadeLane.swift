import Diagnostics
import Streams
import Synchronization

/// One source's way through the cascade: its lines read ahead, its jobs in flight, its order of answers.
///
/// `@unchecked Sendable`: the constants never change; `state` is touched with the board's lock held only.
public final class CascadeLane: @unchecked Sendable {
    /// What the board's lock guards.
    struct State {
        var pending: RecordRing
        /// Lines that the reader has framed and found no room for yet.
        var unpushed = 0
        /// Whether the reader waits for lines to be delivered, and not just taken by a worker.
        var readerAwaitsDelivery = false
        var readTimes = ReadTimes()
        var origins = OriginTable()
        /// How many records of each chunk haven't been decoded, plus one while the reader fills it.
        var chunkUses: [Int]
        var freeChunks: [Int32]
        var freeJobs: [CascadeJob]
        /// Finished jobs by sequence, modulo the number of jobs.
        var finished: [CascadeJob?]
        /// Of an unordered lane: jobs whose late lines are ready, in the order of their coming.
        var rests: [CascadeJob] = []
        /// Jobs of which lines wait for the teacher, the oldest first.
        var waitingJobs: [CascadeJob] = []
        var nextSequence = 0
        var nextToWrite = 0
        /// Jobs taken and not yet recycled.
        var jobsInFlight = 0
        /// The lines of those jobs.
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
    /// The lane's place on the board, and with it the conditions that its threads wait for.
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
        // An unfinished line takes at most a quarter of a chunk, so that moving it costs little.
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
