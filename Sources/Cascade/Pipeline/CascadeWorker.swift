import Bytes
import Diagnostics
import Models
import Streams

/// A thread that runs models: it decodes lines, scores them with the student, runs the teacher, and encodes decided
/// lines.
final class CascadeWorker {
    private let board: CascadeBoard
    private let role: WorkerRole
    private let index: Int
    private let report: @Sendable (ModelFailure, UnderstudyError) -> Void
    private var decoders: [LaneDecoder?] = []
    /// The newest models seen; released as soon as they are replaced.
    private var models: CascadeModels?
    private var student: (any LineScorer)?
    private let batch: TeacherBatch
    private let shadow = ShadowPass()
    private var deferred: [DeferredLine] = []
    private var ready: [CascadeJob] = []

    private struct LaneDecoder {
        var lane: CascadeLane
        var decoder: LineDecoder
    }

    /// - Parameter report: receives the errors of the models. Called on any worker's thread, possibly more than once.
    init(
        _ board: CascadeBoard, role: WorkerRole, index: Int,
        report: @escaping @Sendable (ModelFailure, UnderstudyError) -> Void
    ) {
        self.board = board
        self.role = role
        self.index = index
        self.report = report
        batch = TeacherBatch(lines: board.options.teacherLines)
    }

    /// Runs until the board has no more work.
    func run() {
        var wasTeaching = false
        var generation = -1
        while let work = board.next(
            role, worker: index, wasTeaching: wasTeaching, generation: &generation, lines: &deferred)
        {
            wasTeaching = false
            switch work {
            case .student(let job): scoreWithStudent(job)
            case .teacher:
                runTeacherPass()
                wasTeaching = true
            case .refresh: refresh()
            }
        }
    }

    /// Releases replaced models and closed lanes.
    private func refresh() {
        decoders.removeAll()
        let current = board.models
        guard models !== current else { return }
        models = current
        student = role == .teacher ? nil : current.student.makeScorer()
        batch.keep(only: current.teacher)
        shadow.keep(only: current)
    }

    // MARK: The student

    private func scoreWithStudent(_ job: CascadeJob) {
        guard let lane = job.lane, let models = job.models, let routes = job.routes else { return }
        let labels = models.student.labels.count
        job.prepare(labels: labels, buffers: routes.bufferCount)
        decode(job, lane)
        board.releaseChunk(job.records[0].chunk, uses: job.records.count, of: lane)
        let count = job.lines.count
        let begin = Monotonic.nanoseconds
        if count > 0 {
            // A job taken just before the models were replaced is scored with its own.
            let scorer = (models === self.models ? student : nil) ?? models.student.makeScorer()
            let room = UnsafeMutableBufferPointer(start: job.studentLogits, count: count * labels)
            do throws(UnderstudyError) {
                try scorer.score(job.lines, into: room, deadline: nil)
            } catch {
                // The lines are refused as those without finite logits.
                room.update(repeating: .nan)
                report(.student, error)
            }
            (job.tally.tokens, job.tally.unknownTokens) = scorer.tokenCounts
        }
        let now = Monotonic.nanoseconds
        job.studentTime = now &- begin
        for line in 0..<count {
            let row = UnsafeBufferPointer(start: job.studentLogits + line * labels, count: labels)
            let verdict = Verdict(row, temperature: models.temperature)
            job.states[line].student = verdict
            if let verdict { job.tally.count(student: verdict) }
        }
        // Not counted as the student's time.
        if let candidate = models.shadow { shadow.run(job, models, candidate) }
        decide(job, models, now)
        if job.deferred.isEmpty {
            job.encode(.whole)
            board.finish(job)
            return
        }
        if !lane.options.isOrdered { job.encode(.sure) }
        board.deferLines(of: job, now: now)
    }

    private func decode(_ job: CascadeJob, _ lane: CascadeLane) {
        guard let origin = job.origin else { return }
        let decoder = decoder(of: lane)
        for (index, record) in job.records.enumerated() where record.isLine {
            job.tally.lines += 1
            let bytes = lane.chunks.bytes(of: record)
            switch decoder.decode(record, bytes, unit: origin.unit) {
            case .blank:
                job.tally.blank += 1
            case .flaw(let flaw):
                job.refuse(flaw, record: record, bytes: bytes)
            case .text(let text, let passed):
                let start = job.passed.count
                job.passed.append(passed)
                (job.states + job.lines.count).initialize(
                    to: CascadeJob.State(
                        id: origin.identity.id(offset: record.offset, line: bytes), record: index, passedStart: start,
                        passedEnd: job.passed.count))
                job.lines.append(text)
            }
        }
    }

    private func decoder(of lane: CascadeLane) -> LineDecoder {
        if lane.slot < decoders.count, let known = decoders[lane.slot], known.lane === lane { return known.decoder }
        while decoders.count <= lane.slot { decoders.append(nil) }
        let options = lane.options
        let (form, most) = (options.input, options.maximumLineBytes)
        // The engine creates a decoder when it opens the lane, which loads the encoding's table. If that fails now, the
        // lines are refused as invalid UTF-8.
        let decoder =
            (try? LineDecoder(form: form, maximumLineBytes: most, encoding: options.encoding))
            ?? LineDecoder(form: form, maximumLineBytes: most)
        decoders[lane.slot] = LaneDecoder(lane: lane, decoder: decoder)
        return decoder
    }

    /// Selects the lines for the teacher. If its queue is full, the student answers where that is allowed.
    private func decide(_ job: CascadeJob, _ models: CascadeModels, _ now: UInt64) {
        if models.decider.neverAsks { return }
        var room = board.teacherRoom(now: now)
        if !board.studentMayAnswer { room.lines = .max }
        models.decider.decide(
            count: job.lines.count, now: now,
            line: { index in
                let state = job.states[index]
                return state.student.map { ($0, state.id) }
            },
            ask: { index, reason in
                job.states[index].reason = reason
                switch reason {
                case .deferred where board.studentMayAnswer && room.isBroken:
                    job.states[index].teacher = .skipped(.broken)
                case .deferred where room.lines <= 0:
                    job.states[index].teacher = .skipped(.full)
                case .audit where room.audits <= 0 || room.isBroken:
                    // An audit must not delay the stream: it is skipped if a pass of audits already waits.
                    job.states[index].reason = nil
                default:
                    if reason == .audit { room.audits -= 1 }
                    room.lines -= 1
                    job.deferred.append(index)
                }
            })
    }

    // MARK: The teacher

    private func runTeacherPass() {
        guard let models = deferred.first?.job.models else { return }
        if role == .teacher { board.awaitFuller(&deferred) }
        switch board.admitTeacher(models.teacher) {
        case .askNow: ask(models)
        case .later(let time, let generation):
            putBack(models)
            board.awaitTeacher(until: time, generation: generation, worker: index)
        case .skip: skip(.broken, models)
        }
        // Lines of former models must not keep these alive.
        batch.keep(only: self.models?.teacher)
    }

    private func ask(_ models: CascadeModels) {
        let isNew: Bool
        do throws(UnderstudyError) {
            isNew = try batch.load(models.teacher)
            if isNew { board.noteTeacherLoaded() }
        } catch {
            fail(.teacherLoading, error, .broken, models)
            return
        }
        let deferredAt = batch.collect(&deferred, board)
        // Afterwards the student has answered all of these lines.
        let deadline = board.studentMayAnswer ? deferredAt &+ board.options.teacherTimeout : nil
        let begin = Monotonic.nanoseconds
        let isUsable: Bool
        do throws(UnderstudyError) {
            isUsable = try batch.run(models, deadline: deadline)
        } catch {
            let isLate = deadline.map { Monotonic.nanoseconds >= $0 } ?? false
            fail(.teacher, error, isLate ? .timeout : .broken, models)
            return
        }
        let time = Monotonic.nanoseconds &- begin
        let count = deferred.count
        board.noteTeacherPass(lines: count, time: time)
        board.noteTeacher(
            models.teacher,
            !isUsable ? .failed : isNew && count == 0 ? .loaded : .answered(lines: count, time: time))
        settle(models)
    }

    /// Handles a teacher that can't be loaded or fails to score: its lines wait until it recovers, or the student
    /// answers them.
    private func fail(
        _ failure: ModelFailure, _ error: UnderstudyError, _ why: CascadeTally.Skip, _ models: CascadeModels
    ) {
        report(failure, error)
        board.noteTeacher(models.teacher, .failed)
        if board.awaitsReturn(of: models.teacher) { putBack(models) } else { skip(why, models) }
    }

    /// Puts lines that need the teacher back into the queue. Audits are skipped, so that they delay no line.
    private func putBack(_ models: CascadeModels) {
        deferred = board.putBack(deferred)
        skip(.broken, models)
    }

    private func skip(_ why: CascadeTally.Skip, _ models: CascadeModels) {
        batch.skip(deferred.count, why)
        settle(models)
    }

    private func settle(_ models: CascadeModels) {
        board.settle(
            deferred, labels: models.student.labels.count, logits: batch.logits, states: batch.states, ready: &ready)
        deferred.removeAll(keepingCapacity: true)
    }
}
