import Cascade
import Diagnostics
import Models
import Streams
import TestSupport
import Testing

private let hour: UInt64 = 3_600_000_000_000

private func lines(_ count: Int) -> [String] { (0..<count).map { "第\($0)条：展览开幕" } }

/// A classifier outside of the process: before each batch `before` may throw or wait.
private struct Remote: LineClassifier {
    var inner = HashClassifier(version: "t", salt: 1)
    let before: @Sendable (_ lines: Int, _ deadline: UInt64?) throws(UnderstudyError) -> Void
    var labels: [String] { inner.labels }
    var version: String { inner.version }

    func makeScorer() -> any LineScorer { Scorer(self) }

    private final class Scorer: LineScorer {
        private let remote: Remote
        private let inner: any LineScorer

        init(_ remote: Remote) {
            self.remote = remote
            inner = remote.inner.makeScorer()
        }

        func score(
            _ batch: LineBatch, into logits: UnsafeMutableBufferPointer<Float>, deadline: UInt64?
        ) throws(UnderstudyError) {
            try remote.before(batch.count, deadline)
            try inner.score(batch, into: logits, deadline: deadline)
        }
    }
}

private let unreachable = UnderstudyError(.tryAgain, "the teacher can't be reached")

/// Waits until the deadline of a pass and fails, as a command or a server that doesn't answer.
private let silence: @Sendable (Int, UInt64?) throws(UnderstudyError) -> Void = {
    (_, deadline) throws(UnderstudyError) in
    let never = Monitor(())
    let _: Void? = never.wait(on: 0, until: deadline ?? 0) { _ in nil }
    throw UnderstudyError(.tryAgain, "the teacher didn't answer in time")
}

private func sum(_ lane: RunningEngine.Lane, _ skip: CascadeTally.Skip) -> Int {
    lane.output.deliveries.reduce(0) { $0 + $1.tally.skips[skip.index] }
}

/// Models whose scorers throw or miss their deadline.
@Suite(.offPool) struct ModelFailureTests {
    private func cascade(_ teacher: Remote, auditShare: Double = 0) throws -> CascadeModels {
        try models(HashClassifier(), TeacherSource(teacher), below: auditShare > 0 ? 0 : 1, auditShare: auditShare)
    }

    /// With `block` the lines wait, and the teacher answers them when it has recovered. There is no deadline.
    @Test(arguments: [1, 2]) func linesWaitForATeacherThatFails(threads: Int) throws {
        let calls = Monitor(0)
        let failures = Monitor([UnderstudyError]())
        let teacher = Remote { (_, deadline) throws(UnderstudyError) in
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            if deadline != nil { throw UnderstudyError(.internalFailure, "a deadline") }
            if call <= 3 { throw unreachable }
        }
        let running = try RunningEngine(try cascade(teacher)) {
            $0.teacherThreads = threads
            $0.teacherRetry = 100_000
        } report: { error in
            failures.withLock { $0.append(error) }
        }
        var random = SplitMix(seed: 1)
        let lane = try running.open(ScriptedLane("s", lines: lines(200), largest: 300, random: &random))
        running.finish()
        #expect(lane.output.proofs.map(\.text) == lines(200))
        #expect(lane.output.proofs.allSatisfy { $0.by == "teacher" })
        #expect(failures.withLock { $0 } == [unreachable, unreachable, unreachable])
        #expect(running.engine.circuit.state == .closed && running.engine.circuit.openings >= 1)
    }

    /// With `answer_with_student` the student answers, the lines count as broken, and the circuit opens.
    @Test func theStudentAnswersForATeacherThatFails() throws {
        let teacher = Remote { (_, _) throws(UnderstudyError) in throw unreachable }
        let failures = Monitor(0)
        let running = try RunningEngine(try cascade(teacher)) {
            $0.whenTeacherFull = .answerWithStudent
            $0.teacherRetry = hour
            $0.teacherTimeout = hour
        } report: { _ in
            failures.withLock { $0 += 1 }
        }
        var random = SplitMix(seed: 2)
        let lane = try running.open(ScriptedLane("s", lines: lines(50), largest: 90, random: &random))
        running.finish()
        #expect(lane.output.proofs.map(\.text) == lines(50))
        #expect(lane.output.proofs.allSatisfy { $0.by == "student" && $0.state == "skipped" })
        #expect(sum(lane, .broken) == 50 && failures.withLock { $0 } == 1)
        #expect(running.engine.circuit.openings == 1)
    }

    /// The deadline of a pass is the end of the wait of its newest line; lines that reach it count as timed out.
    @Test(arguments: [true, false]) func aPassEndsAtItsDeadline(isOrdered: Bool) throws {
        let timeout: UInt64 = 50_000_000
        let deadlines = Monitor([UInt64]())
        let begin = Monotonic.nanoseconds
        let teacher = Remote { (count, deadline) throws(UnderstudyError) in
            deadlines.withLock { $0.append(deadline ?? 0) }
            try silence(count, deadline)
        }
        let running = try RunningEngine(try cascade(teacher)) {
            $0.whenTeacherFull = .answerWithStudent
            $0.teacherRetry = hour
            $0.teacherTimeout = timeout
        }
        var random = SplitMix(seed: 3)
        let lane = try running.open(ScriptedLane("s", lines: ["一", "二", "三"], largest: 90, random: &random)) {
            $0.isOrdered = isOrdered
        }
        running.finish()
        let end = Monotonic.nanoseconds
        #expect(lane.output.proofs.map(\.text).sorted() == ["一", "二", "三"].sorted())
        #expect(lane.output.proofs.allSatisfy { $0.by == "student" && $0.state == "skipped" })
        #expect(sum(lane, .timeout) >= 1 && sum(lane, .timeout) + sum(lane, .broken) == 3)
        let all = deadlines.withLock { $0 }
        #expect(all.allSatisfy { $0 >= begin + timeout && $0 <= end })
        guard case .open = running.engine.circuit.state else {
            Issue.record("the circuit is \(running.engine.circuit.state)")
            return
        }
    }

    /// Audits of a teacher that fails are skipped without a trace; they delay no line.
    @Test func auditsOfATeacherThatFailsAreSkipped() throws {
        let teacher = Remote { (_, _) throws(UnderstudyError) in throw unreachable }
        let running = try RunningEngine(try cascade(teacher, auditShare: 1)) { $0.teacherRetry = hour }
        var random = SplitMix(seed: 4)
        let lane = try running.open(ScriptedLane("s", lines: lines(100), largest: 300, random: &random))
        running.finish()
        #expect(lane.output.proofs.map(\.text) == lines(100))
        #expect(lane.output.proofs.allSatisfy { $0.by == "student" && $0.state == "none" })
    }

    /// In a filter the error of a teacher that fails ends the run, as that of a teacher that can't be loaded.
    @Test func aFilterEndsWithTheTeachersError() throws {
        let teacher = Remote { (_, _) throws(UnderstudyError) in throw unreachable }
        let cascade = try Cascade(
            student: HashClassifier(), teacher: TeacherSource(teacher), policy: DeferralPolicy(.confidence, below: 1))
        let answers = CollectingSink()
        let outcome = try cascade.run(
            source: ScriptedSource([.bytes(Array("a\n".utf8)), .silence]), answers: answers,
            diagnostics: CollectingSink())
        #expect(outcome.failure == unreachable && outcome.tally.skips[CascadeTally.Skip.broken.index] == 1)
        #expect(answers.lines.count == 1 && answers.text.contains("\"teacher\":\"skipped\""))
    }

    /// The lines of a batch that the student fails to score are refused, as those without finite logits.
    @Test func linesOfAStudentThatFailsAreRefused() throws {
        let failing = Remote { (_, _) throws(UnderstudyError) in throw unreachable }
        let failures = Monitor(0)
        let running = try RunningEngine(
            try CascadeModels(student: failing, decider: LineDecider(.fixed(.never))),
            report: { _ in failures.withLock { $0 += 1 } })
        var random = SplitMix(seed: 5)
        let lane = try running.open(ScriptedLane("s", lines: lines(40), largest: 90, random: &random))
        running.finish()
        #expect(lane.output.proofs.isEmpty && failures.withLock { $0 } > 0)
        let refused = lane.output.deliveries.reduce(0) { $0 + $1.tally.flaws[LineFlaw.Kind.noFiniteLogits.index] }
        #expect(refused == 40)
    }

    /// A shadow that fails disturbs no answer.
    @Test func linesOfAShadowThatFailsCountAsBroken() throws {
        let failing = Remote { (_, _) throws(UnderstudyError) in throw unreachable }
        let shadow = try ShadowStudent(failing, temperature: 1, share: 1, labels: HashClassifier().labels)
        let running = try RunningEngine(
            try CascadeModels(student: HashClassifier(), decider: LineDecider(.fixed(.never)), shadow: shadow))
        var random = SplitMix(seed: 6)
        let lane = try running.open(ScriptedLane("s", lines: lines(40), largest: 90, random: &random))
        running.finish()
        #expect(lane.output.proofs.map(\.text) == lines(40))
        #expect(lane.output.deliveries.reduce(0) { $0 + $1.tally.shadow.broken } == 40)
    }
}
