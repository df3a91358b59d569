import Configuration
import Distillation
import Redistillation
import Store
import TestSupport
import Testing

@Suite struct GateTests {
    static let settings: RedistillSettings.Gate = {
        var gate = RedistillSettings.Gate()
        (gate.maximumAccuracyLoss, gate.maximumPossibleLoss, gate.confidence) = (0.002, 0.03, 0.95)
        (gate.maximumRecallLoss, gate.maximumCalibrationError) = (0.05, 0.05)
        (gate.maximumLoadGrowth, gate.loadAllowance) = (0.25, 0.02)
        (gate.maximumSlowdown, gate.maximumGrowth) = (0.25, 0.25)
        (gate.minimumHoldoutRows, gate.minimumClassRows, gate.maximumOverlap) = (100, 5, 0.02)
        return gate
    }()
    static let labels = ["体育", "财经"]

    /// A holdout of `count` lines, of which each student has the given ones right.
    static func evidence(
        count: Int = 1000, candidate: (Int) -> Bool, serving: (Int) -> Bool
    ) -> GateEvidence {
        var evidence = GateEvidence(labels: labels, truth: (0..<count).map { Int32($0 % 2) })
        func measured(_ version: String, _ isRight: (Int) -> Bool, _ agreement: Int) -> GateEvidence.Measured {
            let logits = (0..<count).flatMap { line -> [Float] in
                let label = isRight(line) ? line % 2 : 1 - line % 2
                return label == 0 ? [2, -2] : [-2, 2]
            }
            return GateEvidence.Measured(
                version: version, logits: logits, temperature: 1,
                heldOut: (0..<100).map { $0 < agreement ? 0 : 1 }, calibrationError: 0.02, linesPerSecond: 1000,
                bytes: 1000)
        }
        evidence.learnt = 500
        evidence.minimumLearnt = 250
        evidence.learntPerLabel = [200, 300]
        evidence.logitsCompared = 48
        evidence.logitsHeld = 48
        evidence.heldOutTeacher = [Int32](repeating: 0, count: 100)
        evidence.candidate = measured("v2", candidate, 80)
        evidence.serving = measured("v1", serving, 70)
        evidence.alone = evidence.candidate?.logits
        evidence.targetError = 0.3
        evidence.epochs = 4
        return evidence
    }

    private func failed(_ change: (inout GateEvidence) -> Void) -> [String] {
        var evidence = Self.evidence(candidate: { $0 % 10 != 0 }, serving: { $0 % 5 != 0 })
        change(&evidence)
        return Gate(Self.settings).decide(evidence).failed.map(\.name)
    }

    @Test func aBetterStudentIsLetIn() {
        let decision = Gate(Self.settings).decide(
            Self.evidence(candidate: { $0 % 10 != 0 }, serving: { $0 % 5 != 0 }))
        #expect(decision.isPassed && decision.failed.isEmpty)
        #expect(decision.reason == "every criterion is met")
        #expect(decision.criteria.allSatisfy { $0.result == .passed })
    }

    /// Each criterion on its bound and just beyond it.
    @Test func everyBound() {
        #expect(failed { $0.learnt = 250 } == [])
        #expect(failed { $0.learnt = 249 } == ["log_lines"])
        #expect(failed { $0.learntPerLabel = [5, 500] } == [])
        #expect(failed { $0.learntPerLabel = [4, 500] } == ["learnt_classes"])
        #expect(failed { $0.learntPerLabel = [] } == ["learnt_classes"])
        #expect(failed { $0.overlap = 20 } == [])
        #expect(failed { $0.overlap = 21 } == ["holdout_overlap"])
        #expect(failed { $0.logitsHeld = 44 } == [])
        #expect(failed { $0.logitsHeld = 43 } == ["log_logits"])
        #expect(failed { $0.candidate?.heldOut = $0.serving?.heldOut ?? [] } == ["agreement"])
        #expect(failed { $0.heldOutTeacher = [0, 0, 0] } == ["agreement"])
        #expect(failed { $0.candidate?.calibrationError = 0.05 } == [])
        #expect(failed { $0.candidate?.calibrationError = 0.0501 } == ["calibration"])
        #expect(
            failed {
                $0.candidate?.calibrationError = 0.2
                $0.serving?.calibrationError = 0.2
            } == [])
        #expect(failed { $0.candidate?.linesPerSecond = 750 } == [])
        #expect(failed { $0.candidate?.linesPerSecond = 749 } == ["speed"])
        #expect(failed { $0.candidate?.bytes = 1250 } == [])
        #expect(failed { $0.candidate?.bytes = 1251 } == ["size"])
    }

    @Test func aMissingClassNamesItself() throws {
        var evidence = Self.evidence(candidate: { _ in true }, serving: { $0 % 9 != 0 })
        evidence.truth = evidence.truth.map { _ in 0 }
        let decision = Gate(Self.settings).decide(evidence)
        let failed = try #require(decision.criteria.first { $0.name == "holdout_classes" })
        #expect(failed.result == .failed && failed.note.contains("财经"))
    }

    /// Observed loss: exactly what is allowed, and a line more.
    @Test func accuracyOnItsBound() {
        let lost = { (count: Int) in
            Gate(Self.settings).decide(
                Self.evidence(
                    candidate: { $0 % 10 != 0 && $0 >= 2 * count || $0 % 2 == 1 && $0 % 10 != 0 },
                    serving: { $0 % 10 != 0 }))
        }
        // Line 0 is wrong for both; 2 and 4 are lost.
        let two = lost(3)
        #expect(two.criteria.first { $0.name == "accuracy" }?.result == .passed)
        let three = lost(4)
        #expect(three.criteria.first { $0.name == "accuracy" }?.result == .failed)
    }

    /// Logits of a student that is wrong on every fifth line. So many of its mistakes are surer than all else, the others
    /// less sure than all else.
    private static func logits(count: Int, sureMistakes: Int) -> [Float] {
        (0..<count).flatMap { line -> [Float] in
            let isWrong = line % 5 == 0
            let margin: Float = isWrong ? (line / 5 < sureMistakes ? 3 : 0.1) : 1 + Float(line) / Float(count)
            let label = isWrong ? 1 - line % 2 : line % 2
            return label == 0 ? [margin, -margin] : [-margin, margin]
        }
    }

    /// A candidate that is as right as the serving student, but can't tell its mistakes, takes more of the teacher's time.
    @Test func theTeachersLoadIsBounded() throws {
        func criterion(
            candidate: Int, _ target: Double? = 0.05, growth: Double = 0.25, allowance: Double = 0.02
        ) throws -> GateCriterion {
            var settings = Self.settings
            settings.maximumLoadGrowth = growth
            settings.loadAllowance = allowance
            var evidence = Self.evidence(candidate: { $0 % 5 != 0 }, serving: { $0 % 5 != 0 })
            evidence.serving?.logits = Self.logits(count: 1000, sureMistakes: 10)
            evidence.candidate?.logits = Self.logits(count: 1000, sureMistakes: candidate)
            evidence.targetError = target
            return try #require(Gate(settings).decide(evidence).criteria.first { $0.name == "teacher_load" })
        }
        let same = try criterion(candidate: 10)
        // 810 lines with 10 mistakes are answered; the next 190 are all wrong.
        #expect(same.result == .passed && same.measured == "19.0 % → 19.0 %")
        // 60 mistakes come before all others, and are more than 5 % of 860 lines.
        let worse = try criterion(candidate: 60)
        #expect(worse.result == .failed && worse.measured == "19.0 % → 100.0 %")
        #expect(worse.threshold == "at most 25.0 % and 2.00 points more")
        #expect(worse.note.hasPrefix("at an error of 5.00 % among a student's own answers; 25."))
        #expect(try criterion(candidate: 60, growth: 10).result == .passed)
        #expect(try criterion(candidate: 60, nil).result == .unmeasured)
    }

    /// The lowest threshold within the target, with equal confidences together.
    @Test func thresholdsAtATargetError() {
        let confidences: [Float] = [0.9, 0.8, 0.8, 0.7, 0.6, 0.5]
        let correct = [true, true, false, true, true, false]
        func share(_ target: Double) -> Double {
            TargetErrorThreshold(confidences: confidences, correct: correct, targetError: target).deferredShare
        }
        #expect(share(0) == 5.0 / 6)
        #expect(share(0.2) == 1.0 / 6)
        #expect(share(0.25) == 1.0 / 6)
        #expect(share(1.0 / 3) == 0)
        let found = TargetErrorThreshold(confidences: confidences, correct: correct, targetError: 0.2)
        #expect(found.threshold > 0.5 && found.threshold <= 0.6)
        #expect(TargetErrorThreshold.error(confidences: confidences, correct: correct, threshold: 0.55) == 0.2)
        #expect(TargetErrorThreshold.error(confidences: confidences, correct: correct, threshold: 0.95) == nil)
        #expect(TargetErrorThreshold(confidences: [], correct: [], targetError: 0.1).deferredShare == 0)
    }

    /// What failed isn't printed like what is allowed.
    @Test func sentencesShowWhatTheyClaim() throws {
        func measured(_ name: String, _ change: (inout GateEvidence) -> Void) throws -> GateCriterion {
            var evidence = Self.evidence(candidate: { $0 % 10 != 0 }, serving: { $0 % 5 != 0 })
            change(&evidence)
            return try #require(Gate(Self.settings).decide(evidence).criteria.first { $0.name == name })
        }
        let calibration = try measured("calibration") { $0.candidate?.calibrationError = 0.05001 }
        #expect(calibration.result == .failed && calibration.measured == "2.0 % → 5.001 %")
        let size = try measured("size") {
            $0.candidate?.bytes = 1_250_001
            $0.serving?.bytes = 1_000_000
        }
        #expect(size.result == .failed && size.measured == "1,000,000 → 1,250,001, +25.0001 %")
        let speed = try measured("speed") { $0.candidate?.linesPerSecond = 749.9 }
        #expect(speed.result == .failed && speed.measured == "1,000 → 750, −25.01 %")
        let overlap = try measured("holdout_overlap") {
            $0.truth = (0..<9999).map { Int32($0 % 2) }
            $0.overlap = 200
        }
        #expect(overlap.result == .failed && overlap.measured == "2.0002 %")
    }

    /// A holdout that is too small to tell doesn't let anything in by luck.
    @Test func tooFewLinesToTell() {
        let decision = Gate(Self.settings).decide(
            Self.evidence(count: 120, candidate: { $0 % 9 != 0 }, serving: { $0 % 8 != 0 }))
        #expect(decision.criteria.first { $0.name == "accuracy_at_worst" }?.result == .failed)
        let tiny = Gate(Self.settings).decide(
            Self.evidence(count: 20, candidate: { _ in true }, serving: { _ in false }))
        #expect(tiny.criteria.first { $0.name == "holdout_lines" }?.result == .failed)
    }

    /// Distillation that hurts is noticed.
    @Test func aStudentOfLabelsAloneMayBeBetter() {
        let alone = Self.evidence(candidate: { _ in true }, serving: { _ in true }).candidate?.logits
        #expect(failed { $0.alone = alone } == ["without_teacher"])
        #expect(failed { $0.alone = nil } == [])
    }

    @Test func beforeTrainingTheRestIsUnmeasured() {
        var evidence = Self.evidence(candidate: { _ in true }, serving: { _ in true })
        evidence.candidate = nil
        let decision = Gate(Self.settings).decide(evidence)
        #expect(decision.criteria.count == 16)
        #expect(decision.criteria.suffix(10).allSatisfy { $0.result == .unmeasured })
        #expect(decision.failed.isEmpty)
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func numbersThatAreNone(_ value: Float) {
        let names = failed { $0.candidate?.logits[7] = value }
        #expect(names == ["training"])
        #expect(failed { $0.candidate?.logits = [] } == ["training"])
    }

    /// Candidates that are worse by more than chance explains never pass, whatever the seed.
    @Test func worseOnesNeverPass() {
        var random = SplitMix(seed: 4)
        for seed in 0..<100 as Range<UInt64> {
            let right = (0..<600).map { _ in Double.random(in: 0..<1, using: &random) }
            let decision = Gate(Self.settings, seed: seed).decide(
                Self.evidence(count: 600, candidate: { right[$0] < 0.72 }, serving: { right[$0] < 0.8 }))
            #expect(!decision.isPassed)
        }
    }

    @Test func theTable() {
        var evidence = Self.evidence(candidate: { $0 % 10 != 0 }, serving: { $0 % 5 != 0 })
        evidence.overlap = 400
        evidence.candidate = nil
        #expect(
            GateTable.text(Array(Gate(Self.settings).decide(evidence).criteria.prefix(8))) == """
                        criterion                            measured    required
                ok      Training lines                       500         at least 250
                ok      Training lines of each class         200 (体育)  at least 5
                ok      Lines of the holdout                 1000        at least 100
                ok      Lines of each class in the holdout   500 (体育)  at least 5
                FAILED  Overlap of holdout and log           40.0 %      at most 2.0 %
                ok      Logits in the log match the teacher  48 of 48    at least 90.0 %
                -       Finite logits after training         —           finite logits
                -       Accuracy on the holdout              —           at most 0.20 points lost

                """)
    }
}
