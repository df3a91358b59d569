import Cascade
import Diagnostics
import Glibc
import Models
import Streams
import TestSupport
import Testing

/// Something whose end can be seen: held by a model's closure.
private final class Token: Sendable {}

private let labels = ["sports", "culture", "finance", "technology", "travel"]

/// The n-th pair: versions of its own, labels in another order and another number of them.
private func pair(_ number: Int, token: Token = Token()) -> (student: HashClassifier, teacher: HashClassifier) {
    let own = Array((labels.shuffled(number) + ["weather"]).prefix(2 + number % 5))
    return (
        HashClassifier(labels: own, version: "s\(number)", salt: UInt64(number), before: { _ in _ = token }),
        HashClassifier(
            labels: own.reversed(), version: "t\(number)", salt: UInt64(number) + 500, before: { _ in _ = token })
    )
}

extension [String] {
    fileprivate func shuffled(_ seed: Int) -> [String] {
        var random = SplitMix(seed: UInt64(seed))
        return shuffled(using: &random)
    }
}

@Suite(.offPool) struct ModelChangeTests {
    /// Pitfall 18: models are replaced a hundred times while lines come; every line is answered once, by models that
    /// belong together, and nothing is left of those that were replaced.
    @Test(arguments: [1, 2]) func modelsAreReplacedUnderLoad(teacherThreads: Int) throws {
        func cascade(_ number: Int, _ token: Token) throws -> CascadeModels {
            let (student, teacher) = pair(number, token: token)
            return try models(student, source(of: teacher), below: 0.6)
        }
        weak var last: Token?
        var tokens: [() -> Token?] = []
        func start() throws -> RunningEngine {
            let token = Token()
            tokens.append { [weak token] in token }
            return try RunningEngine(try cascade(0, token)) {
                $0.teacherThreads = teacherThreads
                $0.studentLines = 16
                $0.teacherLines = 4
            }
        }
        let running = try start()
        var open: [RunningEngine.Lane] = []
        for number in 0..<3 {
            let origin = SourceOrigin(source: "s\(number)", path: "", file: nil)
            let lines = Array((0..<40).map { "第\(number)路\($0)：新车亮相\n" }.joined().utf8)
            open.append(
                try running.open(ScriptedLane("s\(number)", [.opened(origin), .endless(lines)])) {
                    $0.isOrdered = number != 1
                })
        }
        for number in 1...100 {
            let token = Token()
            last = token
            tokens.append { [weak token] in token }
            running.engine.replaceModels(try cascade(number, token))
            if number % 10 == 0 {
                #expect(open[number / 10 % 3].output.wait { $0.contains { $0.student == "s\(number)" } })
            }
        }
        for lane in open { lane.source.interrupt() }
        for lane in open { lane.join() }
        for lane in open {
            var counts: [String: Int] = [:]
            for delivery in lane.output.deliveries {
                #expect(delivery.student.dropFirst() == delivery.teacher?.dropFirst())
                for record in delivery.records.joined() {
                    let proof = try #require(Proof(record))
                    counts[proof.text, default: 0] += 1
                    #expect(proof.student == delivery.student && proof.teacher == delivery.teacher)
                    let (student, teacher) = pair(Int(proof.student.dropFirst()) ?? -1)
                    let judge = proof.by == "teacher" ? teacher : student
                    // In the student's order of labels, which decides between equals.
                    let own = judge.logits(Array(proof.text.utf8), order: student.labels)
                    let said = own.withUnsafeBufferPointer { Verdict($0, temperature: 1) }
                    #expect(proof.label == said.map { student.labels[$0.label] })
                }
            }
            // Whole rounds of forty lines, but for the last.
            #expect((counts.values.max() ?? 0) - (counts.values.min() ?? 0) <= 1 && counts.count == 40)
        }
        // Nothing is going on, and yet only the models in force are in memory.
        #expect(eventually { tokens.count { $0() != nil } == 1 })
        #expect(last != nil)
        running.finish()
    }

    /// The same with a lane that is silent: nothing but the replacement itself wakes the workers.
    @Test func anIdleEngineLetsGoOfOldModels() throws {
        let running = try RunningEngine(try models(below: 0))
        weak var old: Token?
        func useOne() throws {
            let token = Token()
            old = token
            let (student, teacher) = pair(1, token: token)
            running.engine.replaceModels(try models(student, source(of: teacher), below: 1))
            var random = SplitMix(seed: 1)
            let lane = try running.open(ScriptedLane("s", lines: ["一条", "两条"], largest: 9, random: &random))
            running.close(lane)
            #expect(lane.output.proofs.map(\.teacher) == ["t1", "t1"])
        }
        try useOne()
        #expect(old != nil)
        running.engine.replaceModels(try models(below: 0))
        #expect(eventually { old == nil })
        running.finish()
    }

    /// Lines that began with a teacher that has been replaced: their answers are still its own, and it is let go then.
    @Test func aReplacedTeacherAnswersWhatWasAskedOfIt() throws {
        let gate = Gate()
        let running = try RunningEngine(try models(below: 0)) { $0.teacherLines = 1 }
        weak var old: Token?
        func begin() throws -> RunningEngine.Lane {
            let token = Token()
            old = token
            let teacher = HashClassifier(
                version: "old", salt: 4,
                before: { _ in
                    _ = token
                    gate.pass()
                })
            running.engine.replaceModels(try models(HashClassifier(), source(of: teacher), below: 1))
            var random = SplitMix(seed: 2)
            return try running.open(ScriptedLane("s", lines: ["一", "二", "三", "四"], largest: 90, random: &random))
        }
        let lane = try begin()
        #expect(gate.awaitVisitor())
        running.engine.replaceModels(try models(below: 0))
        gate.open()
        lane.join()
        #expect(lane.output.proofs.count == 4)
        for proof in lane.output.proofs { #expect(proof.teacher == "old" || proof.by == "student") }
        #expect(lane.output.proofs[0].by == "teacher")
        #expect(eventually { old == nil })
        running.finish()
    }

    /// A teacher that can't be loaded is replaced by one that can: nobody waits for the old one any more.
    @Test func aBrokenTeacherIsReplaced() throws {
        let broken = TeacherSource(labels: HashClassifier().labels, version: "broken", remembersFailure: false) {
            () throws(UnderstudyError) in throw UnderstudyError(.missingInput, "gone")
        }
        let failures = Monitor(0)
        let running = try RunningEngine(try models(HashClassifier(), broken, below: 1)) {
            $0.teacherRetry = 3_600_000_000_000
        } report: { _ in
            failures.withLock { $0 += 1 }
        }
        var random = SplitMix(seed: 3)
        let first = try running.open(ScriptedLane("first", lines: ["一", "二"], largest: 90, random: &random))
        #expect(eventually { failures.withLock { $0 } > 0 && running.engine.circuit.state != .closed })
        #expect(first.output.deliveries.isEmpty)
        running.engine.replaceModels(
            try models(HashClassifier(), source(of: HashClassifier(version: "new", salt: 1)), below: 1))
        let second = try running.open(ScriptedLane("second", lines: ["三", "四"], largest: 90, random: &random))
        second.join()
        first.join()
        #expect(second.output.proofs.map(\.by) == ["teacher", "teacher"])
        #expect(first.output.proofs.map(\.text) == ["一", "二"])
        #expect(first.output.proofs.allSatisfy { $0.state == "skipped" && $0.teacher == "broken" })
        running.finish()
    }

    /// The sinks change while lines come: each record is in the routes that its job began with.
    @Test func routesAreRenewedUnderLoad() throws {
        let number = Monitor(0)
        let routing = ProofRouting { encoder, _ in
            // One route, or two of the same.
            Array(repeating: AnswerRoutes.Route(encoder: encoder), count: 1 + number.withLock { $0 % 2 })
        }
        let running = try RunningEngine(try models(below: 0)) { $0.studentLines = 8 }
        let lines = Array((0..<100).map { "第\($0)条\n" }.joined().utf8)
        let lane = try running.open(
            ScriptedLane("s", [.opened(SourceOrigin(source: "s", path: "", file: nil)), .endless(lines)]),
            routing: routing)
        for round in 1...100 {
            number.withLock { $0 = round }
            running.engine.renewRoutes()
            if round % 10 == 0 {
                let before = lane.output.deliveries.count
                #expect(lane.output.wait { $0.count > before })
            }
        }
        lane.source.interrupt()
        running.finish()
        let proofs = lane.output.proofs
        #expect(proofs.enumerated().allSatisfy { $1.text == "第\($0 % 100)条" })
        for delivery in lane.output.deliveries where delivery.records.count > 1 {
            #expect(delivery.records[1].isEmpty || delivery.records[1] == delivery.records[0])
        }
    }
}

@Suite(.offPool) struct RouteTests {
    /// Each route gets the answers that its filter asks for, in one buffer or in one for each label.
    @Test(arguments: 0..<20)
    func filtersTakeWhatTheyAskFor(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let student = HashClassifier()
        let teacher = HashClassifier(version: "t", salt: 8)
        struct Filter {
            var labels: [Bool]
            var by: AnswerRoutes.Route.Who
            var confidence: Float
            var splits: Bool
        }
        let whos: [AnswerRoutes.Route.Who] = [.anyone, .student, .teacher]
        let filters = (0..<4).map { _ in
            Filter(
                labels: Bool.random(using: &random) ? [] : student.labels.map { _ in Bool.random(using: &random) },
                by: whos[Int.random(in: 0...2, using: &random)], confidence: Float.random(in: 0...0.7, using: &random),
                splits: Bool.random(using: &random))
        }
        let routing = ProofRouting { encoder, _ in
            filters.map {
                AnswerRoutes.Route(
                    encoder: encoder, labels: $0.labels, by: $0.by, minimumConfidence: $0.confidence,
                    splitsByLabel: $0.splits)
            }
        }
        let running = try RunningEngine(try models(student, source(of: teacher)))
        let lines = (0..<200).map { "第\($0)条：球队获胜" }
        let lane = try running.open(
            ScriptedLane("s", lines: lines, largest: 300, random: &random), routing: routing)
        running.finish()
        var first = 0
        for filter in filters {
            var wanted = Array(repeating: [String](), count: filter.splits ? student.labels.count : 1)
            for line in lines {
                let own = try #require(verdict(student, line))
                let isByTeacher = own.confidence < 0.5
                let deciding = isByTeacher ? try #require(verdict(teacher, line)) : own
                guard filter.labels.isEmpty || filter.labels[deciding.label], deciding.confidence >= filter.confidence,
                    filter.by == .anyone || (filter.by == .teacher) == isByTeacher
                else { continue }
                wanted[filter.splits ? deciding.label : 0].append(line)
            }
            for (place, texts) in wanted.enumerated() {
                let got = lane.output.deliveries.flatMap { $0.records[first + place] }.compactMap { Proof($0)?.text }
                #expect(got == texts)
            }
            first += wanted.count
        }
    }
}
