import Models
import Streams

/// Decided lines become records in the job's buffers.
extension CascadeJob {
    /// Encodes the lines of `part`. The job's own thread only; for `.rest` none waits for the teacher any more.
    func encode(_ part: Part) {
        guard let routes else { return }
        self.part = part
        var next = 0
        lines.forEachLine { line, text in
            let isDeferred = next < deferred.count && deferred[next] == line
            if isDeferred { next += 1 }
            switch part {
            case .whole: break
            case .sure: if isDeferred { return }
            case .rest: if !isDeferred { return }
            }
            encode(line, text, routes)
        }
    }

    private func encode(_ line: Int, _ text: UnsafeBufferPointer<UInt8>, _ routes: AnswerRoutes) {
        let state = states[line]
        guard let verdict = state.student else {
            refuse(.noFiniteLogits, record: records[state.record], bytes: text)
            return
        }
        let opinion = Answer.Opinion(label: verdict.label, confidence: verdict.confidence)
        var answer = Answer(student: opinion)
        switch state.teacher {
        case .notAsked: break
        case .answered(let teacher):
            answer.teacher = .answered(teacher)
            answer.isByTeacher = true
            tally.byTeacher += 1
            if state.shadow >= 0 {
                tally.shadow.judge(student: opinion.label, shadow: Int(state.shadow), teacher: teacher.label)
            }
            if state.reason == .audit {
                tally.audited += 1
                if teacher.label == opinion.label { tally.auditedAlike += 1 }
            } else if teacher.label != opinion.label {
                tally.disagreements += 1
            }
        case .broken:
            skip(.broken, state, &answer)
            if firstBrokenAnswer == nil { firstBrokenAnswer = records[state.record].number }
        case .skipped(let why): skip(why, state, &answer)
        }
        if state.reason == .deferred { tally.deferred += 1 }
        let deciding = answer.deciding
        tally.answers[deciding.label] += 1
        tally.count(deciding.confidence)
        let passed = passed.bytes
        let labels = tally.answers.count
        routes.append(
            answer,
            for: AnswerEncoder.Line(
                id: state.id, text: text,
                passed: UnsafeBufferPointer(rebasing: passed[state.passedStart..<state.passedEnd]),
                studentLogits: UnsafeBufferPointer(start: studentLogits + line * labels, count: labels),
                teacherLogits: UnsafeBufferPointer(start: teacherLogits + line * labels, count: labels)),
            to: self)
    }

    /// An audit that came to nothing leaves no trace: nobody was unsure.
    private func skip(_ why: CascadeTally.Skip, _ state: State, _ answer: inout Answer) {
        guard state.reason == .deferred else { return }
        answer.teacher = .skipped
        tally.skips[why.index] += 1
    }

    func refuse(_ flaw: LineFlaw, record: Record, bytes: UnsafeBufferPointer<UInt8>) {
        tally.flaws[flaw.kind.index] += 1
        guard let encoder = routes?.refusals, let origin else { return }
        encoder.append(flaw, record: record, origin: origin, bytes: bytes, to: refusals)
        refusalRecords += 1
    }
}
