import Cascade
import Models
import Streams
import TestSupport
import Testing

private func options(_ change: (inout CascadeOptions) -> Void = { _ in }) -> CascadeOptions {
    var options = CascadeOptions()
    options.jobs = 3
    options.chunks = 2
    options.pendingLines = 10
    change(&options)
    return options
}

/// Records of ten bytes each, numbered from `first`.
private func records(_ numbers: Range<Int>, chunk: Int32 = 0, origin: Int32 = 0) -> ArraySlice<Record> {
    numbers.map { number in
        Record(
            offset: UInt64(10 * number), number: UInt64(number + 1), start: 0, length: 10, chunk: chunk, origin: origin)
    }[...]
}

/// The queue of records read ahead, without a lane.
@Suite struct RecordQueueTests {
    @Test func aJobHasOneChunkOneOriginAndABoundedText() {
        var queue = RecordQueue(capacity: 8)
        let first = queue.open(SourceOrigin(source: "s", path: "first", file: nil))
        let second = queue.open(SourceOrigin(source: "s", path: "second", file: nil))
        queue.push(records(0..<4, origin: first), at: 7)
        queue.push(records(4..<5, chunk: 1, origin: first), at: 8)
        queue.push(records(5..<8, chunk: 1, origin: second), at: 9)
        queue.close(first)
        #expect(queue.room == 0)
        func pop(_ lines: Int, _ bytes: Int) -> String {
            var taken: [Record] = []
            let (origin, readAt) = queue.pop(lines: lines, bytes: bytes, into: &taken)
            return "\(taken.count) of \(origin?.path ?? "none") at \(readAt)"
        }
        // Bounded by bytes, by the chunk, by the origin, and by the number of lines. A line that is longer than all
        // bytes is taken alone.
        let jobs = [pop(9, 25), pop(9, 99), pop(9, 99), pop(2, 99), pop(9, 1)]
        let wanted = ["2 of first at 7", "2 of first at 7", "1 of first at 8", "2 of second at 9", "1 of second at 9"]
        #expect(jobs == wanted)
        #expect(queue.count == 0)
    }

    @Test func slotsOfEndedOriginsAreReused() {
        var queue = RecordQueue(capacity: 4)
        let first = queue.open(SourceOrigin(source: "s", path: "first", file: nil))
        queue.push(records(0..<1, origin: first), at: 1)
        queue.close(first)
        // A record still holds the slot.
        let second = queue.open(SourceOrigin(source: "s", path: "second", file: nil))
        #expect(second != first)
        var taken: [Record] = []
        _ = queue.pop(lines: 1, bytes: 99, into: &taken)
        let third = queue.open(SourceOrigin(source: "s", path: "third", file: nil))
        #expect(third == first)
    }
}

/// The queues of a lane, without threads.
@Suite struct LaneQueueTests {
    /// A queue whose origin 0 is open.
    private func queue() -> LaneQueue {
        var queue = LaneQueue(options(), isOrdered: true, routes: AnswerRoutes([], labels: 2, refusals: nil))
        _ = queue.openOrigin(SourceOrigin(source: "s", path: "s", file: nil))
        return queue
    }

    @Test func linesUnderWayAreBounded() throws {
        var queue = queue()
        _ = queue.takeChunk()
        func push(_ numbers: Range<Int>) -> Int { queue.push(records(numbers), at: 1, linesAhead: 5) }
        var pushed = push(0..<8)
        #expect(pushed == 5 && !queue.readerAwaitsDelivery && queue.linesUnderWay == 8)
        pushed = push(5..<8)
        #expect(pushed == 0 && queue.readerAwaitsDelivery)
        let taken = queue.takeJob(lines: 9, bytes: 99)
        let job = try #require(taken)
        #expect(job.records.count == 5 && queue.linesInFlight == 5)
        // Taken, but not delivered.
        pushed = push(5..<8)
        #expect(pushed == 0)
        let isNext = queue.finish(job)
        let delivered = queue.takeFinished()
        #expect(isNext && delivered === job)
        queue.recycle(job, lines: 5)
        pushed = push(5..<8)
        #expect(pushed == 3 && queue.linesUnderWay == 3)
    }

    @Test func jobsAreDeliveredInTheOrderInWhichTheyWereTaken() {
        var queue = queue()
        _ = queue.takeChunk()
        _ = queue.push(records(0..<3), at: 1, linesAhead: .max)
        var jobs: [CascadeJob] = []
        while queue.hasWork, let job = queue.takeJob(lines: 1, bytes: 99) { jobs.append(job) }
        #expect(jobs.count == 3)
        let areNext = jobs.reversed().map { queue.finish($0) }
        #expect(areNext == [false, false, true])
        for job in jobs {
            let delivered = queue.takeFinished()
            #expect(delivered === job)
            queue.recycle(job, lines: 1)
        }
        #expect(queue.jobsInFlight == 0 && queue.linesUnderWay == 0)
    }

    @Test func aChunkIsFreeAfterItsLastUse() {
        var queue = queue()
        let chunks = (0..<3).map { _ in queue.takeChunk() }
        #expect(chunks == [0, 1, nil])
        _ = queue.push(records(0..<3, chunk: 1), at: 1, linesAhead: .max)
        let areFree = [1, 2, 1].map { queue.releaseChunk(1, uses: $0) }
        #expect(areFree == [false, false, true])
        let again = queue.takeChunk()
        #expect(again == 1)
    }
}

/// The teacher's queue, without threads.
@Suite struct TeacherQueueTests {
    private func lines(_ models: CascadeModels?, _ numbers: Range<Int>, audits: Set<Int> = []) -> [DeferredLine] {
        let job = CascadeJob(capacity: 100)
        job.models = models
        return numbers.map { DeferredLine(job, line: $0, isAudit: audits.contains($0)) }
    }

    @Test func aPassHasLinesOfOneSetOfModels() throws {
        var queue = TeacherQueue(options { $0.teacherQueueLines = 6 })
        for line in lines(try models(below: 0), 0..<3) + lines(try models(below: 0), 3..<7) { queue.append(line) }
        #expect(queue.isFull)
        var taken: [DeferredLine] = []
        queue.beginPass(5, into: &taken)
        #expect(taken.map(\.line) == [0, 1, 2])
        queue.take(9, of: taken[0].job.models, into: &taken)
        #expect(taken.count == 3)
        taken = []
        queue.beginPass(2, into: &taken)
        queue.take(1, of: taken[0].job.models, into: &taken)
        #expect(taken.map(\.line) == [3, 4, 5] && queue.lines.map(\.line) == [6])
    }

    /// When a teacher breaks, the audits that wait for it are answered; they leave the queue at once.
    @Test func auditsLeaveTheQueue() throws {
        var queue = TeacherQueue(options { _ in })
        for line in lines(try models(below: 0), 0..<4, audits: [1, 3]) { queue.append(line) }
        let audits = queue.putBack([])
        #expect(audits.map(\.line) == [1, 3] && queue.lines.map(\.line) == [0, 2])
    }

    @Test func outcomesOfPassesMoveTheCircuit() {
        var queue = TeacherQueue(
            options {
                $0.whenTeacherFull = .answerWithStudent
                $0.teacherTimeout = 100
                $0.teacherRetry = 1000
            })
        let outcomes: [TeacherQueue.Outcome] = [
            .answered(lines: 3, time: 100), .answered(lines: 0, time: 101), .answered(lines: 3, time: 101), .failed,
            .loaded, .failed,
        ]
        let changes = outcomes.enumerated().map { queue.note($1, at: UInt64($0))?.state }
        #expect(changes == [nil, nil, .open(until: 1002), nil, .closed, .open(until: 1005)])
    }

    /// With `block` a slow pass is no failure: its lines wait.
    @Test func aSlowPassIsNoFailureWhereLinesWait() {
        var queue = TeacherQueue(options { $0.teacherTimeout = 100 })
        let change = queue.note(.answered(lines: 3, time: .max), at: 3)
        #expect(change == nil)
    }
}

@Suite struct WorkerRollTests {
    @Test func everyWorkerRespondsOnce() {
        var roll = WorkerRoll(workers: 3)
        func respond(_ workers: [Int]) -> [Bool] { workers.map { roll.respond($0) } }
        var responses = respond([0])
        #expect(responses == [false] && roll.silent == 0)
        roll.beginCheck()
        #expect(roll.silent == 3)
        responses = respond([0, 0])
        // A worker that has ended is no longer waited for.
        roll.leave(1)
        #expect(responses == [true, false] && roll.silent == 1)
        responses = respond([2])
        #expect(responses == [true] && roll.silent == 0)
        roll.beginCheck()
        #expect(roll.silent == 2)
    }

    @Test func idleWorkersAreCountedByRole() {
        var roll = WorkerRoll(workers: 3)
        roll.becomeIdle(.student)
        roll.becomeIdle(.both)
        roll.becomeIdle(.teacher)
        #expect(roll.idleStudents == 2 && roll.idle(.both) == 2 && roll.idle(.teacher) == 1)
        roll.becomeBusy(.student)
        roll.becomeBusy(.teacher)
        #expect(roll.idleStudents == 1 && roll.idleTeachers == 0)
    }
}
