import Cascade
import Diagnostics
import Models
import Streams
import TestSupport
import Testing

/// The counters of each delivered job, against the same counts made from the lines of that job alone.
@Suite struct TallyTests {
    /// Reports each byte of a line as a token, and each digit 3 as a token that it doesn't know.
    private struct ByteCounting: LineClassifier {
        let base: HashClassifier
        var labels: [String] { base.labels }
        var version: String { base.version }

        func makeScorer() -> any LineScorer { Scorer(base.makeScorer()) }

        private final class Scorer: LineScorer {
            private let base: any LineScorer
            private(set) var tokenCounts = (all: 0, unknown: 0)

            init(_ base: any LineScorer) { self.base = base }

            func score(
                _ batch: LineBatch, into logits: UnsafeMutableBufferPointer<Float>, deadline: UInt64?
            ) throws(UnderstudyError) {
                try base.score(batch, into: logits, deadline: deadline)
                tokenCounts = (0, 0)
                batch.forEachLine { _, line in
                    tokenCounts.all += line.count
                    tokenCounts.unknown += line.count { $0 == UInt8(ascii: "3") }
                }
            }
        }
    }

    private let student = HashClassifier(poison: UInt8(ascii: "9"))
    private let teacher = HashClassifier(version: "t", salt: 1, poison: UInt8(ascii: "7"))
    private let shadow = HashClassifier(
        labels: HashClassifier().labels.reversed(), version: "shadow", salt: 7, poison: UInt8(ascii: "8"))
    private let threshold: Float = 0.5

    /// Texts, blank lines, so many of them in a row that a job holds nothing else, and lines that aren't UTF-8.
    private static let stream: [[UInt8]] = (0..<600).map { number in
        switch number % 23 {
        case _ where (300..<330).contains(number): []
        case 4: []
        case 11: [0x61, 0xFF]
        default: Array("第\(number)条：列车提速".utf8)
        }
    }

    /// What must be counted for the lines of one delivery.
    private func expected(_ delivery: CollectingLane.Delivery, _ lines: [UInt64: [UInt8]]) throws -> CascadeTally {
        var answers: [String: Proof] = [:]
        for proof in (delivery.records.first ?? []).compactMap(Proof.init) { answers[proof.text] = proof }
        var tally = CascadeTally(labels: student.labels.count)
        for start in delivery.answered {
            let line = try #require(lines[start])
            tally.lines += 1
            if line.isEmpty {
                tally.blank += 1
            } else if line == [0x61, 0xFF] {
                tally.flaws[LineFlaw.Kind.notUTF8.index] += 1
            } else {
                tally.tokens += line.count
                tally.unknownTokens += line.count { $0 == UInt8(ascii: "3") }
                try count(String(decoding: line, as: UTF8.self), answers, &tally)
            }
        }
        return tally
    }

    private func count(_ text: String, _ answers: [String: Proof], _ tally: inout CascadeTally) throws {
        guard let own = verdict(student, text) else {
            tally.flaws[LineFlaw.Kind.noFiniteLogits.index] += 1
            return
        }
        tally.studentLabels[own.label] += 1
        tally.studentConfidences[StudentReference.bin(own.confidence)] += 1
        let second = verdict(shadow, text).map { student.labels.count - 1 - $0.label }
        if let second {
            tally.shadow.lines += 1
            if second == own.label { tally.shadow.alike += 1 }
        } else {
            tally.shadow.broken += 1
        }
        let proof = try #require(answers[text])
        let isDeferred = own.confidence < threshold
        var deciding = own
        if isDeferred { tally.deferred += 1 }
        if proof.by == "teacher" {
            deciding = try #require(verdict(teacher, text))
            tally.byTeacher += 1
            let isAlike = deciding.label == own.label
            if isDeferred {
                if !isAlike { tally.disagreements += 1 }
            } else {
                tally.audited += 1
                if isAlike { tally.auditedAlike += 1 }
            }
            switch (isAlike, second == deciding.label) {
            case _ where second == nil: break
            case (true, true): tally.shadow.bothRight += 1
            case (true, false): tally.shadow.onlyStudentRight += 1
            case (false, true): tally.shadow.onlyShadowRight += 1
            case (false, false): tally.shadow.noneRight += 1
            }
        } else if isDeferred {
            #expect(text.contains("7"))
            tally.skips[CascadeTally.Skip.broken.index] += 1
        }
        tally.answers[deciding.label] += 1
        let bin = (0..<20).first { Double(deciding.confidence) <= Double($0 + 1) / 20 } ?? 19
        tally.confidences[bin] += 1
    }

    /// One job for all lines of the lane, so that each use of it begins with what the one before has left.
    @Test(arguments: [0, 1])
    func aJobThatIsUsedAgainCountsFromZero(teacherThreads: Int) throws {
        let models = try CascadeModels(
            student: ByteCounting(base: student), teacher: source(of: teacher),
            decider: LineDecider(.fixed(try DeferralPolicy(.confidence, below: threshold)), auditShare: 1),
            shadow: try ShadowStudent(shadow, temperature: 1, share: 1, labels: student.labels))
        let running = try RunningEngine(models) {
            $0.teacherThreads = teacherThreads
            $0.teacherRetry = 1
            $0.jobs = 1
            $0.studentLines = 9
            $0.studentGrain = 9
        }
        var random = SplitMix(seed: 5)
        var lines: [UInt64: [UInt8]] = [:]
        var bytes: [UInt8] = []
        for line in Self.stream {
            lines[UInt64(bytes.count)] = line
            bytes += line + [0x0A]
        }
        let opened = ScriptedLane.Step.opened(SourceOrigin(source: "s", path: "s", file: nil))
        let lane = try running.open(
            ScriptedLane("s", [opened] + ScriptedLane.pieces(bytes, largest: 400, random: &random)))
        running.finish()
        var all = CascadeTally(labels: student.labels.count)
        for delivery in lane.output.deliveries {
            #expect(try delivery.tally == expected(delivery, lines))
            all.add(delivery.tally)
        }
        // All of it together, so that no counter was compared at zero only.
        #expect(all.lines == Self.stream.count && all.blank > 0 && all.refused > all.flaws[LineFlaw.Kind.notUTF8.index])
        #expect(all.disagreements > 0 && all.skipped > 0 && all.unknownTokens > 0)
        #expect(all.auditedAlike > 0 && all.audited > all.auditedAlike)
        #expect(all.shadow.bothRight > 0 && all.shadow.noneRight > 0 && all.shadow.broken > 0)
        #expect(all.shadow.onlyStudentRight > 0 && all.shadow.onlyShadowRight > 0)
        #expect(lane.output.deliveries.count > 60)
    }

    /// Gives all of its labels the same logit: it is exactly 1/labels sure of each line.
    private struct Undecided: LineClassifier {
        let labels: [String]
        let version = "u"

        init(_ count: Int) { labels = (0..<count).map { "label \($0)" } }

        func makeScorer() -> any LineScorer { Scorer() }

        private final class Scorer: LineScorer {
            func score(_ batch: LineBatch, into logits: UnsafeMutableBufferPointer<Float>, deadline: UInt64?) {
                logits.update(repeating: 0)
            }
        }
    }

    /// Answers are counted in (lower, upper] bins, as `le` in Prometheus says, what the student said in [lower, upper)
    /// bins, as `StudentReference` has them.
    @Test(arguments: [1, 2, 4, 5, 10, 20])
    func aConfidenceOnABoundIsCountedOnItsSide(labels: Int) throws {
        let running = try RunningEngine(
            try CascadeModels(student: Undecided(labels), decider: LineDecider(.fixed(.never))))
        var random = SplitMix(seed: 6)
        let texts = (0..<50).map { "第\($0)条" }
        let lane = try running.open(ScriptedLane("s", lines: texts, largest: 100, random: &random))
        running.finish()
        var all = CascadeTally(labels: labels)
        for delivery in lane.output.deliveries { all.add(delivery.tally) }
        var answers = [Int](repeating: 0, count: 20)
        answers[20 / labels - 1] = 50
        #expect(all.confidences == answers)
        var said = [Int](repeating: 0, count: StudentReference.confidenceBins)
        said[min(19, 20 / labels)] = 50
        #expect(all.studentConfidences == said)
    }

    /// A route takes an answer that is exactly as sure as it asks for.
    @Test(arguments: [(Float(0.5).nextDown, 50), (0.5, 50), (Float(0.5).nextUp, 0)])
    func aRouteTakesAnswersOnItsLeastConfidence(least: Float, taken: Int) throws {
        let running = try RunningEngine(try CascadeModels(student: Undecided(2), decider: LineDecider(.fixed(.never))))
        var random = SplitMix(seed: 7)
        let routing = ProofRouting { encoder, _ in [AnswerRoutes.Route(encoder: encoder, minimumConfidence: least)] }
        let lane = try running.open(
            ScriptedLane("s", lines: (0..<50).map { "第\($0)条" }, largest: 100, random: &random), routing: routing)
        running.finish()
        #expect(lane.output.records.count == taken)
        #expect(lane.output.deliveries.reduce(0) { $0 + $1.tally.answered } == 50)
    }
}
