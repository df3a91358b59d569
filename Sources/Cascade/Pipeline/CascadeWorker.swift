import Diagnostics
import Models
import Streams

/// One thread that runs models: decodes and scores lines with the student, asks the teacher, encodes what is decided.
final class CascadeWorker {
    private let cascade: Cascade
    private let board: CascadeBoard
    private let chunks: ChunkPool
    private let teacherFailed: (UnderstudyError) -> Void
    private let decoder: LineDecoder
    private let identity: RecordIdentity
    private let labels: Int
    private let student: any LineScorer
    private var teacher: (any LineScorer)?
    private var deferred: [CascadeBoard.DeferredLine] = []
    private var ready: [CascadeJob] = []
    private var teacherLines = LineBatch()
    private let teacherLogits: UnsafeMutablePointer<Float>

    /// `teacherFailed` is told when the teacher can't be loaded; from any worker's thread, perhaps more than once.
    init(
        _ cascade: Cascade, board: CascadeBoard, chunks: ChunkPool,
        teacherFailed: @escaping (UnderstudyError) -> Void
    ) {
        self.cascade = cascade
        self.board = board
        self.chunks = chunks
        self.teacherFailed = teacherFailed
        let options = cascade.options
        decoder = LineDecoder(form: options.input, maximumLineBytes: options.maximumLineBytes)
        identity = RecordIdentity(source: options.source)
        labels = cascade.student.labels.count
        student = cascade.student.makeScorer()
        teacherLogits = .allocate(capacity: options.teacherLines * labels)
    }

    deinit { teacherLogits.deallocate() }

    /// Works until the board says that all is done.
    func run() {
        var last: CascadeBoard.Work?
        while let work = board.next(after: last, lines: &deferred) {
            switch work {
            case .student(let job): study(job)
            case .teacher: teach()
            }
            last = work
        }
    }

    // MARK: The student

    private func study(_ job: CascadeJob) {
        decode(job)
        board.releaseChunk(job.records[0].chunk, uses: job.records.count)
        let count = job.lines.count
        if count > 0 {
            student.score(
                job.lines, into: UnsafeMutableBufferPointer(start: job.studentLogits, count: count * labels))
        }
        for line in 0..<count {
            let row = UnsafeBufferPointer(start: job.studentLogits + line * labels, count: labels)
            let verdict = Verdict(row, temperature: cascade.temperature)
            job.states[line].student = verdict
            if let verdict, cascade.policy.defers(verdict) { job.deferred.append(line) }
        }
        if job.deferred.isEmpty {
            finish(job)
        } else {
            job.tally.deferred += job.deferred.count
            board.deferLines(of: job)
        }
    }

    private func decode(_ job: CascadeJob) {
        job.tally.lines += job.records.count
        for record in job.records {
            let bytes = chunks.bytes(of: record)
            switch decoder.decode(record, bytes) {
            case .blank:
                job.tally.blank += 1
            case .flaw(let flaw):
                refuse(flaw, line: record.number, of: job)
            case .text(let text, let passed):
                let start = job.passed.count
                job.passed.append(passed)
                (job.states + job.lines.count).initialize(
                    to: CascadeJob.State(
                        id: identity.id(offset: record.offset, line: bytes), number: record.number,
                        passedStart: start, passedEnd: job.passed.count))
                job.lines.append(text)
            }
        }
    }

    private func refuse(_ flaw: LineFlaw, line: UInt64, of job: CascadeJob) {
        job.tally.flaws[flaw.kind.index] += 1
        cascade.flawEncoder.append(flaw, line: line, to: job.diagnostics)
    }

    // MARK: The teacher

    private func teach() {
        if let scorer = teacherScorer() {
            ask(scorer)
        } else {
            for deferred in deferred { deferred.job.states[deferred.line].teacher = .unavailable }
        }
        board.settle(deferred, ready: &ready)
        deferred.removeAll(keepingCapacity: true)
        for job in ready { finish(job) }
        ready.removeAll(keepingCapacity: true)
    }

    private func ask(_ scorer: any LineScorer) {
        guard let map = cascade.labelMap else { return }
        teacherLines.removeAll()
        for deferred in deferred {
            deferred.job.withText(deferred.line) { teacherLines.append($0) }
        }
        let count = deferred.count
        scorer.score(teacherLines, into: UnsafeMutableBufferPointer(start: teacherLogits, count: count * labels))
        for (index, deferred) in deferred.enumerated() {
            let row = deferred.job.teacherLogits + deferred.line * labels
            for label in 0..<labels { row[label] = teacherLogits[index * labels + map.positions[label]] }
            if let verdict = Verdict(UnsafeBufferPointer(start: row, count: labels), temperature: 1) {
                deferred.job.states[deferred.line].teacher = .answered(
                    Answer.Opinion(label: verdict.label, confidence: verdict.confidence))
            } else {
                deferred.job.states[deferred.line].teacher = .broken
            }
        }
    }

    /// This thread's use of the teacher, made at its first line; nil if the teacher can't be loaded.
    private func teacherScorer() -> (any LineScorer)? {
        if let teacher { return teacher }
        guard let source = cascade.teacher else { return nil }
        do throws(UnderstudyError) {
            let scorer = try source.classifier().makeScorer()
            teacher = scorer
            board.noteTeacherLoaded()
            return scorer
        } catch {
            teacherFailed(error)
            return nil
        }
    }

    // MARK: Decided lines

    private func finish(_ job: CascadeJob) {
        let passed = job.passed.bytes
        job.lines.forEachLine { line, text in encode(line, text, passed, job) }
        board.finish(job)
    }

    private func encode(
        _ line: Int, _ text: UnsafeBufferPointer<UInt8>, _ passed: UnsafeBufferPointer<UInt8>, _ job: CascadeJob
    ) {
        let state = job.states[line]
        guard let verdict = state.student else {
            refuse(.noFiniteLogits, line: state.number, of: job)
            return
        }
        let opinion = Answer.Opinion(label: verdict.label, confidence: verdict.confidence)
        var answer = Answer(student: opinion)
        switch state.teacher {
        case .notAsked: break
        case .answered(let teacher):
            answer.teacher = .answered(teacher)
            answer.isByTeacher = true
            if teacher.label != opinion.label { job.tally.disagreements += 1 }
        case .broken:
            answer.teacher = .skipped
            job.tally.skipped += 1
            if job.firstBrokenAnswer == nil { job.firstBrokenAnswer = state.number }
        case .unavailable:
            answer.teacher = .skipped
            job.tally.skipped += 1
        }
        job.tally.answers[answer.deciding.label] += 1
        cascade.answerEncoder.append(
            answer,
            for: AnswerEncoder.Line(
                id: state.id, text: text,
                passed: UnsafeBufferPointer(rebasing: passed[state.passedStart..<state.passedEnd]),
                studentLogits: UnsafeBufferPointer(start: job.studentLogits + line * labels, count: labels),
                teacherLogits: UnsafeBufferPointer(start: job.teacherLogits + line * labels, count: labels)),
            to: job.answers)
    }
}
