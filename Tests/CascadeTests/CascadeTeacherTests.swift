import Cascade
import Diagnostics
import Models
import Streams
import TestSupport
import Testing

private let text = (0..<300).map { "第\($0)条新闻\n" }.joined()

private func run(
    student: HashClassifier = HashClassifier(), teacher: TeacherSource?, below threshold: Float,
    _ change: (inout CascadeOptions) -> Void = { _ in }
) throws -> (answers: [String], errors: [String], outcome: CascadeOutcome) {
    var options = CascadeOptions()
    options.threads = 2
    change(&options)
    let (answers, errors) = (CollectingSink(), CollectingSink())
    let cascade = try Cascade(
        student: student, teacher: teacher, policy: DeferralPolicy(.confidence, below: threshold), options: options)
    let outcome = try cascade.run(
        source: ScriptedSource([.bytes(Array(text.utf8))]), answers: answers, diagnostics: errors)
    return (answers.lines, errors.lines, outcome)
}

@Suite(.offPool) struct CascadeTeacherTests {
    @Test func isAskedAboutAllOrNone() throws {
        let teacher = HashClassifier(version: "t", salt: 1)
        let all = try run(teacher: source(of: teacher), below: 1)
        #expect(all.answers.allSatisfy { $0.contains("\"by\":\"teacher\"") } && all.outcome.tally.deferred == 300)
        let none = try run(teacher: source(of: teacher), below: 0)
        #expect(none.answers.allSatisfy { $0.contains("\"teacher\":null") } && none.outcome.tally.deferred == 0)
    }

    @Test func isLoadedOnlyWhenItIsNeededAndOnce() throws {
        let loads = Monitor(0)
        let teacher = HashClassifier(version: "t", salt: 1)
        func lazy() -> TeacherSource {
            TeacherSource(labels: teacher.labels, version: "t") { () throws(UnderstudyError) in
                loads.withLock { $0 += 1 }
                return teacher
            }
        }
        _ = try run(teacher: lazy(), below: 0)
        #expect(loads.withLock { $0 } == 0)
        _ = try run(teacher: lazy(), below: 1) { $0.threads = 4 }
        #expect(loads.withLock { $0 } == 1)
    }

    @Test func itsBrokenAnswersAreSkippedWithOneWarning() throws {
        let teacher = HashClassifier(version: "t", salt: 1, poison: UInt8(ascii: "7"))
        let result = try run(teacher: source(of: teacher), below: 1)
        let broken = (0..<300).filter { String($0).contains("7") }
        for (index, answer) in result.answers.enumerated() {
            #expect(answer.contains("\"teacher\":\"skipped\"") == broken.contains(index))
        }
        #expect(result.outcome.tally.skipped == broken.count)
        #expect(result.outcome.tally.answered == 300)
        #expect(result.errors.count == 1)
        #expect(result.errors[0].hasPrefix("{\"warning\":\"teacher_skipped\",\"line\":8,\"source\":\"stdin\""))
        #expect(result.outcome.failure == nil)
    }

    @Test func aTeacherThatCannotBeLoadedEndsTheRunAndLosesNoLine() throws {
        let failure = UnderstudyError(.invalidData, "truncated", at: "teacher/model.safetensors")
        let teacher = TeacherSource(labels: HashClassifier().labels, version: "t") { () throws(UnderstudyError) in
            throw failure
        }
        let result = try run(teacher: teacher, below: 1)
        #expect(result.outcome.failure == failure)
        #expect(result.answers.count == 300)
        #expect(result.answers.allSatisfy { $0.contains("\"by\":\"student\"") && $0.contains("\"skipped\"") })
    }

    @Test func readingStopsWhenTheTeacherCannotBeLoaded() throws {
        let teacher = TeacherSource(labels: HashClassifier().labels, version: "t") { () throws(UnderstudyError) in
            throw UnderstudyError(.missingInput, "gone")
        }
        let cascade = try Cascade(
            student: HashClassifier(), teacher: teacher, policy: DeferralPolicy(.confidence, below: 1))
        let answers = CollectingSink()
        let outcome = try cascade.run(
            source: ScriptedSource([.bytes(Array("a\n".utf8)), .silence]), answers: answers,
            diagnostics: CollectingSink())
        #expect(outcome.failure?.code == .missingInput && answers.lines.count == 1)
    }

    @Test func aTeacherWithOtherLabelsIsRefusedAtTheStart() {
        let teacher = HashClassifier(labels: ["sports", "weather"])
        let error = #expect(throws: UnderstudyError.self) { try run(teacher: source(of: teacher), below: 0.5) }
        #expect(error?.message.contains("'weather'") == true)
    }

    @Test func deferringNeedsATeacher() {
        #expect(throws: UnderstudyError.self) { try run(teacher: nil, below: 0.5) }
    }

    @Test func aStudentWithoutFiniteLogitsGivesAnErrorRecord() throws {
        let student = HashClassifier(poison: UInt8(ascii: "7"))
        let result = try run(student: student, teacher: source(of: HashClassifier(salt: 1)), below: 0.5)
        let broken = (0..<300).filter { String($0).contains("7") }
        #expect(result.answers.count == 300 - broken.count)
        #expect(result.errors.count == broken.count)
        #expect(result.errors[0].hasPrefix("{\"error\":\"no_finite_logits\",\"line\":8,"))
    }

    /// One worker, a student with much to do, a teacher with much to do: both get on.
    @Test func oneWorkerServesBoth() throws {
        let result = try run(teacher: source(of: HashClassifier(version: "t", salt: 1)), below: 0.6) {
            $0.threads = 1
            $0.studentLines = 4
            $0.teacherLines = 3
            $0.jobs = 2
        }
        #expect(result.answers.count == 300)
        #expect(result.outcome.tally.deferred > 0)
    }
}
