import Cascade
import Diagnostics
import Models
import Streams
import TestSupport
import Testing

private let hour: UInt64 = 3_600_000_000_000

private func lines(_ count: Int, from first: Int = 0) -> [String] {
    (first..<(first + count)).map { "第\($0)条：展览开幕" }
}

private func sum(_ lane: RunningEngine.Lane, _ skip: CascadeTally.Skip) -> Int {
    lane.output.deliveries.reduce(0) { $0 + $1.tally.skips[skip.index] }
}

/// Notes what it is told.
private final class Witness: CascadeObserver {
    private let seen = Monitor((circuits: [TeacherCircuit](), lines: 0))

    func teacherPassed(lines: Int, nanoseconds: UInt64) { seen.withLock { $0.lines += lines } }
    func circuitChanged(_ circuit: TeacherCircuit) { seen.withLock { $0.circuits.append(circuit) } }
    var circuits: [TeacherCircuit] { seen.withLock { $0.circuits } }
    var lines: Int { seen.withLock { $0.lines } }
}

/// A teacher that can be loaded only when `isWell`.
private func moody(_ classifier: HashClassifier, isWell: @escaping @Sendable () -> Bool) -> TeacherSource {
    TeacherSource(labels: classifier.labels, version: classifier.version, remembersFailure: false) {
        () throws(UnderstudyError) in
        guard isWell() else { throw UnderstudyError(.missingInput, "not there yet") }
        return classifier
    }
}

@Suite(.offPool) struct TeacherTroubleTests {
    /// The source waits when the teacher's queue is full: the queue stays within its bound and a job for each thread.
    @Test func aFullQueueBlocks() throws {
        let depths = Monitor(0)
        let engine = Monitor<CascadeEngine?>(nil)
        let teacher = HashClassifier(
            version: "t", salt: 1,
            before: { _ in
                let depth = engine.withLock { $0 }?.depths.teacherQueue ?? 0
                depths.withLock { $0 = max($0, depth) }
            })
        let running = try RunningEngine(try models(HashClassifier(), source(of: teacher), below: 1)) {
            $0.teacherQueueLines = 5
            $0.studentLines = 4
            $0.teacherLines = 3
        }
        engine.withLock { $0 = running.engine }
        var random = SplitMix(seed: 1)
        let lane = try running.open(ScriptedLane("s", lines: lines(900), largest: 500, random: &random))
        running.finish()
        engine.withLock { $0 = nil }
        #expect(lane.output.proofs.map(\.text) == lines(900))
        #expect(lane.output.proofs.allSatisfy { $0.by == "teacher" })
        #expect(depths.withLock { $0 } <= 4 + 2 * 4)
    }

    @Test func aFullQueueLeavesTheRestToTheStudent() throws {
        let gate = Gate()
        let teacher = HashClassifier(version: "t", salt: 1, before: { _ in gate.pass() })
        let running = try RunningEngine(try models(HashClassifier(), source(of: teacher), below: 1)) {
            $0.whenTeacherFull = .answerWithStudent
            $0.teacherQueueLines = 10
            $0.teacherLines = 3
            $0.teacherTimeout = hour
        }
        var random = SplitMix(seed: 2)
        let lane = try running.open(ScriptedLane("s", lines: lines(500), largest: 500, random: &random)) {
            $0.isOrdered = false
        }
        #expect(eventually { sum(lane, .full) > 400 })
        gate.open()
        running.finish()
        let skipped = lane.output.proofs.count { $0.state == "skipped" && $0.by == "student" }
        let asked = lane.output.proofs.count { $0.by == "teacher" }
        #expect(skipped == sum(lane, .full) && skipped + asked == 500 && asked > 0)
        #expect(sum(lane, .broken) == 0 && sum(lane, .timeout) == 0)
        #expect(lane.output.deliveries.reduce(0) { $0 + $1.tally.deferred } == 500)
    }

    /// The teacher answers long after its lines have been answered without it: its answers are discarded, lines that
    /// have taken the memory meanwhile aren't touched, and the circuit stays open.
    @Test(arguments: [true, false])
    func aTeacherThatIsTooSlowIsNotWaitedFor(isOrdered: Bool) throws {
        let gate = Gate()
        let teacher = HashClassifier(version: "t", salt: 1, before: { _ in gate.pass() })
        let running = try RunningEngine(try models(HashClassifier(), source(of: teacher), below: 1)) {
            $0.whenTeacherFull = .answerWithStudent
            $0.teacherTimeout = 2_000_000
            // On a slow machine the first passes can come too late to reach the teacher.
            $0.teacherRetry = 1
            $0.jobs = 3
            $0.studentLines = 7
        }
        let endless = Array(lines(10).map { $0 + "\n" }.joined().utf8)
        let origin = SourceOrigin(source: "s", path: "s", file: nil)
        let lane = try running.open(ScriptedLane("s", [.opened(origin), .endless(endless)])) {
            $0.isOrdered = isOrdered
        }
        #expect(gate.awaitVisitor())
        lane.source.interrupt()
        // The lane ends while the teacher still scores.
        lane.join()
        let proofs = lane.output.proofs
        #expect(!proofs.isEmpty && proofs.allSatisfy { $0.by == "student" && $0.state == "skipped" })
        #expect(sum(lane, .timeout) > 0 && sum(lane, .timeout) + sum(lane, .broken) == proofs.count)
        let texts = isOrdered ? proofs.map(\.text) : proofs.map(\.text).sorted()
        let expected = (0..<proofs.count).map { lines(10)[$0 % 10] }
        #expect(texts == (isOrdered ? expected : expected.sorted()))
        gate.open()
        running.finish()
        #expect(lane.output.proofs.count == proofs.count)
        guard case .open = running.engine.circuit.state else {
            Issue.record("the circuit is \(running.engine.circuit.state)")
            return
        }
    }

    /// A pass comes back when its job holds other lines, which wait for the teacher themselves: they must not get the
    /// answers of the lines before them.
    ///
    /// How long the machine takes decides only whether the later lines still wait by then, not what is right.
    @Test func aLateAnswerIsNotGivenToTheLinesThatTookOverTheJob() throws {
        let gate = Gate()
        let student = HashClassifier()
        let teacher = HashClassifier(version: "t", salt: 1, before: { _ in gate.pass() })
        let running = try RunningEngine(try models(student, source(of: teacher), below: 1)) {
            $0.whenTeacherFull = .answerWithStudent
            $0.teacherTimeout = 1_000_000_000
            // The circuit lets the later lines through to the queue.
            $0.teacherRetry = 1
            $0.jobs = 1
            $0.studentGrain = 100
        }
        func bytes(_ lines: [String]) -> ScriptedLane.Step { .bytes(Array(lines.map { $0 + "\n" }.joined().utf8)) }
        let (early, later) = (lines(8), lines(8, from: 8))
        #expect(zip(early, later).contains { verdict(teacher, $0)?.label != verdict(teacher, $1)?.label })
        let goesOn = Monitor(false)
        let origin = SourceOrigin(source: "s", path: "s", file: nil)
        let lane = try running.open(
            ScriptedLane("s", [.opened(origin), bytes(early), .wait { goesOn.withLock { $0 } }, bytes(later)]))
        #expect(gate.awaitVisitor())
        #expect(lane.output.wait(lines: early.count))
        goesOn.withLock { $0 = true }
        lane.source.poke()
        #expect(eventually { running.engine.depths.teacherQueue > 0 || lane.output.proofs.count > early.count })
        gate.open()
        running.finish()
        #expect(lane.output.proofs.map(\.text) == early + later)
        for proof in lane.output.proofs {
            let said = try #require(verdict(proof.by == "teacher" ? teacher : student, proof.text))
            #expect(proof.label == student.labels[said.label])
        }
    }

    /// Loading takes longer than lines may wait: when it is done, their memory belongs to others. The teacher must see
    /// no other bytes than whole lines that wait for it.
    @Test func aTeacherThatLoadsTooSlowlySeesNoForeignMemory() throws {
        let gate = Gate()
        let asked = Monitor(0)
        let classifier = HashClassifier(
            version: "t", salt: 1, before: { count in asked.withLock { $0 += count } })
        let slow = moody(classifier) {
            gate.pass()
            return true
        }
        let running = try RunningEngine(try models(HashClassifier(), slow, below: 1)) {
            $0.whenTeacherFull = .answerWithStudent
            $0.teacherTimeout = 2_000_000
            // On a slow machine the first passes can come too late to load the teacher.
            $0.teacherRetry = 1
            $0.jobs = 2
            $0.studentLines = 9
        }
        let endless = Array(lines(10).map { $0 + "\n" }.joined().utf8)
        let origin = SourceOrigin(source: "early", path: "early", file: nil)
        let early = try running.open(ScriptedLane("early", [.opened(origin), .endless(endless)]))
        #expect(gate.awaitVisitor())
        early.source.interrupt()
        // The lane ends while the teacher is being loaded.
        early.join()
        gate.open()
        #expect(eventually { running.engine.circuit.state == .closed })
        #expect(asked.withLock { $0 } == 0)
        var random = SplitMix(seed: 4)
        let later = try running.open(ScriptedLane("later", lines: lines(50, from: 300), largest: 200, random: &random))
        running.finish()
        #expect(later.output.proofs.map(\.text) == lines(50, from: 300))
        let answered = (early.output.proofs + later.output.proofs).count { $0.by == "teacher" }
        #expect(asked.withLock { $0 } == answered || sum(later, .timeout) > 0)
    }

    /// Where lines must have the teacher they wait until it can be loaded, and then it answers them.
    @Test(arguments: [1, 2]) func linesWaitForATeacherThatIsNotThereYet(threads: Int) throws {
        let attempts = Monitor(0)
        let teacher = HashClassifier(version: "t", salt: 1)
        let failures = Monitor(0)
        let witness = Witness()
        let source = moody(teacher) {
            attempts.withLock { attempts in
                attempts += 1
                return attempts > 3
            }
        }
        let running = try RunningEngine(try models(HashClassifier(), source, below: 1), observer: witness) {
            $0.teacherThreads = threads
            $0.teacherRetry = 100_000
        } report: { _ in
            failures.withLock { $0 += 1 }
        }
        var random = SplitMix(seed: 5)
        let lane = try running.open(ScriptedLane("s", lines: lines(200), largest: 300, random: &random))
        running.finish()
        #expect(lane.output.proofs.map(\.text) == lines(200))
        #expect(lane.output.proofs.allSatisfy { $0.by == "teacher" })
        #expect(failures.withLock { $0 } == 3 && running.engine.circuit.state == .closed)
        #expect(running.engine.circuit.openings == 1)
        #expect(witness.lines == 200)
        let states = witness.circuits.map { circuit in
            switch circuit.state {
            case .closed: "closed"
            case .open: "open"
            case .probing: "probing"
            }
        }
        #expect(states == ["open", "probing", "open", "probing", "open", "probing", "closed"])
    }

    /// Where the student may answer, a broken teacher is tried by one probe at a time and comes back by itself.
    @Test func theStudentAnswersUntilTheTeacherIsBack() throws {
        let isWell = Monitor(false)
        let trying = Monitor((now: 0, most: 0, all: 0))
        let teacher = HashClassifier(version: "t", salt: 1)
        let source = moody(teacher) {
            trying.withLock {
                $0.now += 1
                $0.all += 1
                $0.most = max($0.most, $0.now)
            }
            defer { trying.withLock { $0.now -= 1 } }
            return isWell.withLock { $0 }
        }
        let running = try RunningEngine(try models(HashClassifier(), source, below: 1)) {
            $0.teacherThreads = 3
            $0.whenTeacherFull = .answerWithStudent
            $0.teacherRetry = 1000
            $0.teacherTimeout = hour
        }
        let endless = Array(lines(10).map { $0 + "\n" }.joined().utf8)
        let lane = try running.open(
            ScriptedLane("s", [.opened(SourceOrigin(source: "s", path: "s", file: nil)), .endless(endless)]))
        #expect(eventually { sum(lane, .broken) > 100 && trying.withLock { $0.all } > 3 })
        #expect(lane.output.proofs.allSatisfy { $0.by == "student" && $0.state == "skipped" })
        isWell.withLock { $0 = true }
        #expect(lane.output.wait { $0.last?.tally.byTeacher ?? 0 > 0 })
        #expect(eventually { running.engine.circuit.state == .closed })
        lane.source.interrupt()
        running.finish()
        #expect(trying.withLock { $0.most } == 1)
        #expect(lane.output.proofs.enumerated().allSatisfy { $1.text == lines(10)[$0 % 10] })
    }

    /// A teacher whose logits are never finite is a broken teacher: its lines keep the student's answer.
    @Test func nonsenseOpensTheCircuit() throws {
        let witness = Witness()
        let teacher = HashClassifier(version: "t", salt: 1, poison: UInt8(ascii: "7"))
        let student = HashClassifier(poison: UInt8(ascii: "5"))
        let running = try RunningEngine(
            try models(student, source(of: teacher), below: 1), observer: witness
        ) {
            $0.whenTeacherFull = .answerWithStudent
            $0.teacherRetry = hour
            $0.teacherTimeout = hour
        }
        var random = SplitMix(seed: 6)
        let own = ["七7", "五5", "七7", "八8"]
        let first = try running.open(ScriptedLane("first", lines: Array(own[..<3]), largest: 90, random: &random))
        first.join()
        #expect(first.output.proofs.map(\.state) == ["skipped", "skipped"])
        #expect(first.output.deliveries.reduce(0) { $0 + $1.refusals } == 1)
        #expect(witness.circuits.count == 1)
        let second = try running.open(ScriptedLane("second", lines: Array(own[3...]), largest: 90, random: &random))
        running.finish()
        #expect(second.output.proofs.map(\.state) == ["skipped"] && sum(second, .broken) == 1)
    }

    /// Giving a lane up ends the waiting for a teacher that doesn't come, so that the engine can end.
    @Test func abandonedLinesDoNotWaitForTheTeacher() throws {
        let source = moody(HashClassifier(version: "t", salt: 1)) { false }
        let failures = Monitor(0)
        let running = try RunningEngine(try models(HashClassifier(), source, below: 1)) {
            $0.teacherRetry = hour
        } report: { _ in
            failures.withLock { $0 += 1 }
        }
        var random = SplitMix(seed: 7)
        let lane = try running.open(ScriptedLane("s", lines: lines(100), largest: 300, random: &random))
        #expect(eventually { failures.withLock { $0 } > 0 })
        running.engine.stop()
        running.engine.abandon(lane.lane)
        running.finish()
        #expect(lane.output.deliveries.isEmpty && failures.withLock { $0 } == 1)
    }

    // MARK: Audits

    @Test func auditsHangOnTheLineAlone() throws {
        var audited: [Set<String>] = []
        for round in 0..<2 {
            let running = try RunningEngine(
                try models(
                    HashClassifier(), source(of: HashClassifier(version: "t", salt: 1)), below: 0, auditShare: 0.2)
            ) {
                // Room for all.
                $0.teacherLines = 2000
                $0.studentLines = 7 + round * 90
            }
            var random = SplitMix(seed: 8)
            let lane = try running.open(ScriptedLane("s", lines: lines(1000), largest: 300, random: &random))
            running.finish()
            let proofs = lane.output.proofs
            #expect(proofs.map(\.text) == lines(1000))
            let tally = lane.output.deliveries.reduce(into: (audited: 0, deferred: 0)) {
                $0.audited += $1.tally.audited
                $0.deferred += $1.tally.deferred
            }
            let asked = Set(proofs.filter { $0.by == "teacher" }.map(\.text))
            #expect(tally.audited == asked.count && tally.deferred == 0)
            audited.append(asked)
        }
        #expect(audited[0] == audited[1])
        #expect(audited[0].count > 140 && audited[0].count < 260)
    }

    /// While the teacher is busy no more audits are asked for than a pass holds, and those that nobody asks about leave
    /// no trace.
    @Test func auditsDoNotHoldUpTheStream() throws {
        let gate = Gate()
        let teacher = HashClassifier(version: "t", salt: 1, before: { _ in gate.pass() })
        let running = try RunningEngine(
            try models(HashClassifier(), source(of: teacher), below: 0, auditShare: 1)
        ) {
            $0.threads = 1
            $0.teacherLines = 4
        }
        var random = SplitMix(seed: 9)
        let lane = try running.open(ScriptedLane("s", lines: lines(800), largest: 300, random: &random)) {
            $0.isOrdered = false
        }
        #expect(lane.output.wait(lines: 780))
        #expect(lane.output.proofs.allSatisfy { $0.state == "none" })
        gate.open()
        running.finish()
        #expect(lane.output.proofs.count == 800)
    }

    /// Audits that already wait for the teacher when it turns out to be broken are skipped, too.
    @Test func auditsThatWaitWhenTheTeacherBreaksAreSkipped() throws {
        let gate = Gate()
        let source = moody(HashClassifier(version: "t", salt: 1)) {
            gate.pass()
            return false
        }
        let running = try RunningEngine(try models(HashClassifier(), source, below: 0, auditShare: 1)) {
            $0.teacherRetry = hour
            $0.teacherLines = 4
        }
        func bytes(_ lines: [String]) -> ScriptedLane.Step { .bytes(Array(lines.map { $0 + "\n" }.joined().utf8)) }
        let goesOn = Monitor(false)
        let origin = SourceOrigin(source: "s", path: "s", file: nil)
        let lane = try running.open(
            ScriptedLane(
                "s", [.opened(origin), bytes(lines(4)), .wait { goesOn.withLock { $0 } }, bytes(lines(4, from: 4))]))
        // The first four are with the teacher; the others wait in its queue.
        #expect(gate.awaitVisitor())
        goesOn.withLock { $0 = true }
        lane.source.poke()
        #expect(eventually { running.engine.depths.teacherQueue == 4 })
        gate.open()
        #expect(lane.output.wait(lines: 8))
        running.finish()
        #expect(lane.output.proofs.map(\.text) == lines(8))
        #expect(lane.output.proofs.allSatisfy { $0.state == "none" && $0.by == "student" })
    }

    /// A teacher that can't be loaded holds up lines that must have it, but no audits.
    @Test func auditsDoNotWaitForABrokenTeacher() throws {
        let source = moody(HashClassifier(version: "t", salt: 1)) { false }
        let running = try RunningEngine(try models(HashClassifier(), source, below: 0, auditShare: 1)) {
            $0.teacherRetry = hour
            $0.teacherLines = 4
        }
        var random = SplitMix(seed: 10)
        let lane = try running.open(ScriptedLane("s", lines: lines(300), largest: 300, random: &random))
        running.finish()
        #expect(lane.output.proofs.map(\.text) == lines(300))
        #expect(lane.output.proofs.allSatisfy { $0.state == "none" && $0.by == "student" })
    }
}
