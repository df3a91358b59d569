import Cascade
import Diagnostics
import Glibc
import Models
import Streams
import TestSupport
import Testing

private func lines(_ lane: Int, _ count: Int) -> [String] {
    (0..<count).map { "第\(lane)路第\($0)条：港口货轮增加" }
}

@Suite(.offPool) struct LaneTests {
    /// Several lanes with queues of all sizes, outputs and a teacher that dawdle: each lane's answers are complete, right
    /// and once each, and in order unless the lane is unordered.
    @Test(arguments: 0..<40)
    func lanesAgreeWithTheModelsLineByLine(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let delays = Monitor(SplitMix(seed: UInt64(seed) + 1000))
        let longest = UInt32.random(in: 0...300, using: &random)
        let pause: @Sendable () -> Void = { usleep(delays.withLock { UInt32.random(in: 0...longest, using: &$0) }) }
        let student = HashClassifier(before: { _ in pause() })
        let teacher = HashClassifier(labels: student.labels.reversed(), version: "t", salt: 5, before: { _ in pause() })
        let thresholds: [Float] = [0, 0.4, 0.6, 1]
        let threshold = thresholds[Int.random(in: 0...3, using: &random)]
        let running = try RunningEngine(try models(student, source(of: teacher), below: threshold)) { options in
            options.threads = Int.random(in: 1...3, using: &random)
            options.teacherThreads = Int.random(in: 0...2, using: &random)
            options.studentLines = Int.random(in: 1...20, using: &random)
            options.studentBytes = Int.random(in: 1...800, using: &random)
            options.teacherLines = Int.random(in: 1...8, using: &random)
            options.studentGrain = Int.random(in: 1...4, using: &random)
            options.pendingLines = Int.random(in: 1...50, using: &random)
            options.jobs = Int.random(in: 1...6, using: &random)
            options.chunks = Int.random(in: 2...3, using: &random)
            options.chunkBytes = Int.random(in: 1...1000, using: &random)
            options.teacherQueueLines = Int.random(in: 1...30, using: &random)
            options.teacherBatchWait = UInt64.random(in: 0...200_000, using: &random)
        }
        var wanted: [(lane: RunningEngine.Lane, lines: [String])] = []
        for number in 0..<Int.random(in: 1...4, using: &random) {
            let own = lines(number, Int.random(in: 0...300, using: &random))
            let source = ScriptedLane("s\(number)", lines: own, largest: 200, random: &random)
            let output = CollectingLane(pause: pause)
            let isOrdered = Bool.random(using: &random)
            wanted.append((try running.open(source, output) { $0.isOrdered = isOrdered }, own))
        }
        running.finish()
        for (lane, lines) in wanted {
            let proofs = lane.output.proofs
            let isOrdered = lane.lane.options.isOrdered
            #expect(
                (isOrdered ? proofs.map(\.text) : proofs.map(\.text).sorted()) == (isOrdered ? lines : lines.sorted()))
            for proof in proofs {
                let own = try #require(verdict(student, proof.text))
                let asks = threshold >= 1 || own.confidence < threshold
                let deciding =
                    asks ? verdict(teacher, proof.text).map { teacher.labels[$0.label] } : student.labels[own.label]
                #expect(proof.label == deciding && proof.by == (asks ? "teacher" : "student"))
            }
            for delivery in lane.output.deliveries {
                #expect(delivery.counts == delivery.records.map(\.count))
            }
        }
    }

    @Test func anEndlessLaneDoesNotStarveAnother() throws {
        let running = try RunningEngine(try models(below: 0)) { $0.threads = 1 }
        let endless = Array(lines(0, 30).map { $0 + "\n" }.joined().utf8)
        let greedy = try running.open(
            ScriptedLane("greedy", [.opened(SourceOrigin(source: "greedy", path: "", file: nil)), .endless(endless)]))
        #expect(greedy.output.wait(lines: 1000))
        var random = SplitMix(seed: 1)
        let modest = try running.open(ScriptedLane("modest", lines: lines(1, 500), largest: 100, random: &random))
        modest.join()
        #expect(modest.output.proofs.map(\.text) == lines(1, 500))
        greedy.source.interrupt()
        running.finish()
    }

    @Test func aBlockedOutputStopsNobodyElse() throws {
        let running = try RunningEngine(try models(below: 0))
        var random = SplitMix(seed: 2)
        let stuck = try running.open(
            ScriptedLane("stuck", lines: lines(0, 2000), largest: 900, random: &random), CollectingLane(isBlocked: true)
        )
        let free = try running.open(ScriptedLane("free", lines: lines(1, 5000), largest: 900, random: &random))
        free.join()
        #expect(free.output.proofs.count == 5000 && stuck.output.deliveries.isEmpty)
        stuck.output.unblock()
        running.finish()
        #expect(stuck.output.proofs.map(\.text) == lines(0, 2000))
    }

    /// Of an unordered lane, the sure lines come while the teacher is at work on the others.
    @Test func sureLinesDoNotWaitForTheTeacher() throws {
        let gate = Gate()
        let student = HashClassifier()
        let teacher = HashClassifier(version: "t", salt: 3, before: { _ in gate.pass() })
        let running = try RunningEngine(try models(student, source(of: teacher)))
        var random = SplitMix(seed: 3)
        let all = lines(0, 400)
        let sure = all.filter { (verdict(student, $0)?.confidence ?? 0) >= 0.5 }
        let lane = try running.open(ScriptedLane("s", lines: all, largest: 300, random: &random)) {
            $0.isOrdered = false
        }
        #expect(lane.output.wait(lines: sure.count))
        #expect(lane.output.proofs.map(\.text) == sure)
        // What the teacher has still to answer counts as pending.
        #expect((running.engine.depths.lanes.first?.pending ?? 0) >= all.count - sure.count)
        gate.open()
        running.finish()
        #expect(lane.output.proofs.map(\.text).sorted() == all.sorted())
        let waiting = Set(lane.output.deliveries.flatMap(\.unanswered))
        #expect(Set(lane.output.deliveries.filter(\.isRest).flatMap(\.answered)) == waiting)
    }

    @Test func lanesComeAndGoWhileOthersWork() throws {
        let running = try RunningEngine(
            try models(HashClassifier(), source(of: HashClassifier(version: "t", salt: 1)), below: 0.4))
        let endless = Array(lines(0, 30).map { $0 + "\n" }.joined().utf8)
        let steady = try running.open(
            ScriptedLane("steady", [.opened(SourceOrigin(source: "steady", path: "", file: nil)), .endless(endless)]))
        var random = SplitMix(seed: 4)
        for round in 0..<25 {
            let own = lines(round, 40)
            let lane = try running.open(
                ScriptedLane("s\(round)", lines: own, largest: 100, random: &random), CollectingLane())
            running.close(lane)
            #expect(lane.output.proofs.map(\.text) == own)
        }
        #expect(running.engine.depths.lanes.map(\.source) == ["steady"])
        steady.source.interrupt()
        running.finish()
    }

    /// A lane that is closed or given up leaves nothing behind, whatever was on its way.
    @Test(arguments: [false, true])
    func aLaneThatIsGivenUpIsFreed(isOrdered: Bool) throws {
        let gate = Gate()
        let teacher = HashClassifier(version: "t", salt: 3, before: { _ in gate.pass() })
        let running = try RunningEngine(try models(HashClassifier(), source(of: teacher)))
        weak var gone: ScriptedLane?
        func useOne() throws {
            var random = SplitMix(seed: 5)
            let lane = try running.open(ScriptedLane("s", lines: lines(0, 900), largest: 500, random: &random)) {
                $0.isOrdered = isOrdered
            }
            gone = lane.source
            #expect(gate.awaitVisitor())
            running.engine.abandon(lane.lane)
            #expect(lane.join()?.cause != .endOfInput || lane.output.proofs.count < 900)
            gate.open()
            running.close(lane)
        }
        try useOne()
        #expect(eventually { gone == nil })
        func useAnother() throws {
            var random = SplitMix(seed: 6)
            let lane = try running.open(ScriptedLane("s", lines: lines(0, 900), largest: 500, random: &random))
            gone = lane.source
            running.close(lane)
            #expect(lane.output.proofs.count == 900)
        }
        try useAnother()
        #expect(eventually { gone == nil })
        running.finish()
    }

    @Test func anOutputThatRefusesEndsItsLaneOnly() throws {
        let running = try RunningEngine(try models(below: 0))
        var random = SplitMix(seed: 7)
        let output = CollectingLane()
        output.refuse()
        let refused = try running.open(
            ScriptedLane(
                "refused",
                [.opened(SourceOrigin(source: "refused", path: "", file: nil)), .bytes(Array("a\n".utf8)), .silence]),
            output)
        let other = try running.open(ScriptedLane("other", lines: lines(1, 300), largest: 50, random: &random))
        refused.join()
        running.finish()
        #expect(other.output.proofs.count == 300 && output.deliveries.isEmpty)
    }

    /// `stop` comes while lines are under way: all of them are answered.
    @Test func stoppingAnswersWhatIsUnderWay() throws {
        let gate = Gate()
        let teacher = HashClassifier(version: "t", salt: 3, before: { _ in gate.pass() })
        let running = try RunningEngine(try models(HashClassifier(), source(of: teacher)))
        var random = SplitMix(seed: 8)
        let lane = try running.open(ScriptedLane("s", lines: lines(0, 700), largest: 500, random: &random))
        #expect(gate.awaitVisitor())
        running.engine.stop()
        gate.open()
        running.finish()
        #expect(lane.output.proofs.map(\.text) == lines(0, 700))
    }

    @Test func callingTheWorkersFindsTheOneThatIsStuck() throws {
        let gate = Gate(isOpen: true)
        let teacher = HashClassifier(version: "t", salt: 3, before: { _ in gate.pass() })
        let running = try RunningEngine(try models(HashClassifier(), source(of: teacher), below: 1))
        #expect(running.engine.callWorkers(patience: 60_000_000_000) == 0)
        gate.shut()
        var random = SplitMix(seed: 9)
        let lane = try running.open(ScriptedLane("s", lines: lines(0, 3), largest: 500, random: &random))
        #expect(gate.awaitVisitor())
        #expect(running.engine.callWorkers(patience: 1_000_000_000) == 1)
        gate.open()
        #expect(running.engine.callWorkers(patience: 60_000_000_000) == 0)
        running.finish()
        #expect(lane.output.proofs.count == 3)
        #expect(running.engine.callWorkers(patience: 60_000_000_000) == 0)
    }
}
