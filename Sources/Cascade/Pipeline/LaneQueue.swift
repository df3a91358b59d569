import Streams

/// The queues of one lane: the records read ahead of the workers, the jobs in flight, and the order of their answers.
///
/// Every job is in one place: free, with a worker, waiting for the teacher, finished, or with the writer. In an
/// unordered lane a job can wait for the teacher while its sure lines are finished or with the writer.
package struct LaneQueue {
    package private(set) var records: RecordQueue
    /// Lines that the reader has framed but not yet pushed for lack of room.
    private var unpushed = 0
    /// Whether the reader waits for lines to be delivered, rather than taken by a worker.
    package private(set) var readerAwaitsDelivery = false
    /// Number of undecoded records of each chunk, plus one while the reader fills it.
    private var chunkUses: [Int]
    private var freeChunks: [Int32]
    private var freeJobs: [CascadeJob]
    /// Finished jobs by sequence, modulo the number of jobs.
    private var finished: [CascadeJob?]
    /// In an unordered lane: jobs whose late lines are ready, in order of completion.
    private var rests: [CascadeJob] = []
    /// Jobs with lines that wait for the teacher, oldest first.
    private var waiting: [CascadeJob] = []
    private var nextSequence = 0
    private var nextToWrite = 0
    /// Jobs taken and not yet recycled, and the lines in them.
    package private(set) var jobsInFlight = 0
    package private(set) var linesInFlight = 0
    private let isOrdered: Bool
    var routes: AnswerRoutes
    var inputHasEnded = false
    package private(set) var isAbandoned = false

    package init(_ sizes: CascadeOptions, isOrdered: Bool, routes: AnswerRoutes) {
        records = RecordQueue(capacity: sizes.pendingLines)
        chunkUses = Array(repeating: 0, count: sizes.chunks)
        freeChunks = Array((0..<Int32(sizes.chunks)).reversed())
        freeJobs = (0..<sizes.jobs).map { _ in CascadeJob(capacity: sizes.studentLines) }
        finished = Array(repeating: nil, count: sizes.jobs)
        self.isOrdered = isOrdered
        self.routes = routes
    }

    /// Lines read and not yet delivered.
    package var linesUnderWay: Int { unpushed + records.count + linesInFlight }

    /// Whether no more lines will be delivered.
    package var isOver: Bool { isAbandoned || inputHasEnded && records.count == 0 && jobsInFlight == 0 }

    /// Whether a worker can take a job.
    package var hasWork: Bool { !isAbandoned && records.count > 0 && !freeJobs.isEmpty }

    /// Whether half of the jobs are in use, or three quarters of the lines that may be read ahead are in them.
    func isBackedUp(linesAhead: Int) -> Bool {
        freeJobs.count * 2 <= finished.count || linesInFlight >= linesAhead / 4 * 3
    }

    // MARK: The reader

    package mutating func takeChunk() -> Int32? {
        guard let chunk = freeChunks.popLast() else { return nil }
        chunkUses[Int(chunk)] = 1
        return chunk
    }

    /// Releases `uses` of a chunk. Returns whether it is free now.
    package mutating func releaseChunk(_ chunk: Int32, uses: Int) -> Bool {
        chunkUses[Int(chunk)] -= uses
        guard chunkUses[Int(chunk)] == 0 else { return false }
        freeChunks.append(chunk)
        return true
    }

    package mutating func openOrigin(_ origin: SourceOrigin) -> Int32 { records.open(origin) }

    package mutating func closeOrigin(_ slot: Int32) { records.close(slot) }

    /// Queues the first of `read`, which are of one chunk and one origin: as many as there is room for, with at most
    /// `linesAhead` lines under way. Returns their number.
    package mutating func push(_ read: ArraySlice<Record>, at now: UInt64, linesAhead: Int) -> Int {
        let room = records.room
        let part = read.prefix(max(0, min(room, linesAhead - records.count - linesInFlight)))
        unpushed = read.count - part.count
        readerAwaitsDelivery = part.isEmpty && room > 0
        guard let first = part.first else { return 0 }
        records.push(part, at: now)
        chunkUses[Int(first.chunk)] += part.count
        return part.count
    }

    // MARK: The workers

    /// Takes a job with the next records. `hasWork` must be true.
    package mutating func takeJob(lines: Int, bytes: Int) -> CascadeJob? {
        guard let job = freeJobs.popLast() else { return nil }
        job.sequence = nextSequence
        nextSequence += 1
        jobsInFlight += 1
        (job.origin, job.readAt) = records.pop(lines: lines, bytes: bytes, into: &job.records)
        linesInFlight += job.records.count
        job.routes = routes
        return job
    }

    /// Keeps a finished job for the writer. Returns whether the writer can take it now.
    package mutating func finish(_ job: CascadeJob) -> Bool {
        // The writer has stopped.
        if isAbandoned { return false }
        if job.part == .rest {
            rests.append(job)
            return true
        }
        finished[job.sequence % finished.count] = job
        return job.sequence == nextToWrite
    }

    /// Keeps a job whose deferred lines wait for the teacher. In an unordered lane its other lines are finished.
    /// Returns whether it is the only one that waits, and whether the writer can take its other lines now.
    mutating func wait(_ job: CascadeJob) -> (isOnly: Bool, isNext: Bool) {
        waiting.append(job)
        return (waiting.count == 1, !isOrdered && finish(job))
    }

    /// Ends the wait of a job: its last line has been answered. Returns whether its owner is now the caller; if not,
    /// its sure lines must be delivered first.
    mutating func endWait(_ job: CascadeJob) -> Bool {
        waiting.removeAll { $0 === job }
        return isOrdered || job.sureIsDelivered
    }

    // MARK: The writer

    /// Returns the next job in order, or a job with late lines; nil if none is finished.
    package mutating func takeFinished() -> CascadeJob? {
        if !rests.isEmpty { return rests.removeFirst() }
        let place = nextToWrite % finished.count
        guard let job = finished[place] else { return nil }
        finished[place] = nil
        nextToWrite += 1
        return job
    }

    /// Frees a job after the delivery of all of its `lines`.
    package mutating func recycle(_ job: CascadeJob, lines: Int) {
        job.ticket += 1
        freeJobs.append(job)
        jobsInFlight -= 1
        linesInFlight -= lines
    }

    /// The time when the oldest waiting lines were deferred; nil if no line waits for the teacher.
    var oldestDeferral: UInt64? { waiting.first?.deferredAt }

    /// Lets the student answer the lines whose wait for the teacher has timed out. Returns nil if there are none, else
    /// the jobs that are now the caller's.
    mutating func expire(at now: UInt64, timeout: UInt64) -> [CascadeJob]? {
        let late = waiting.filter { now >= $0.deferredAt &+ timeout }
        if late.isEmpty { return nil }
        for job in late { job.expire() }
        waiting.removeAll { $0.waiting == 0 }
        return late.filter { isOrdered || $0.sureIsDelivered }
    }

    // MARK: The end

    /// Drops all lines in flight.
    mutating func abandon() { isAbandoned = true }

    /// Releases the remaining jobs: they and their lane reference each other.
    mutating func close() {
        isAbandoned = true
        finished = []
        rests = []
        waiting = []
    }
}
