import Distillation
import Tensors
import Testing

@Suite struct EvaluationMeasuresTests {
    let golden: EvaluationGolden

    init() throws { golden = try EvaluationGolden.load() }

    @Test func reportsAreScikitLearnsToTheCharacter() {
        #expect(golden.reports.count >= 8)
        for expected in golden.reports {
            let confusion = ConfusionMatrix(
                labels: expected.labels, truth: expected.truth, predicted: expected.predicted)
            #expect(confusion.counts == expected.confusion, "\(expected.name)")
            #expect(ClassificationReport(confusion).text(digits: expected.digits) == expected.text, "\(expected.name)")
        }
    }

    @Test func probabilityMeasuresAreNumPys() {
        for expected in golden.probabilities {
            let predictions = Predictions(logits: expected.logits, labelCount: expected.labels)
            let correct = predictions.correct(expected.truth)
            let error = ExpectedCalibrationError(confidences: predictions.confidences, correct: correct)
            let risk = SelectiveRisk(confidences: predictions.confidences, correct: correct)
            #expect(abs(error.value - expected.ece) < 1e-6)
            #expect(abs(risk.areaUnderRiskCoverage - expected.aurc) < 1e-12)
            #expect(abs(risk.areaUnderGeneralisedRisk - expected.augrc) < 1e-12)
            #expect(abs(predictions.negativeLogLikelihood(expected.truth) - expected.negativeLogLikelihood) < 1e-6)
            #expect(abs(predictions.brierScore(expected.truth) - expected.brier) < 1e-6)
        }
    }

    @Test func emptyInputGivesZeros() {
        let confusion = ConfusionMatrix(labels: ["a", "b"], truth: [], predicted: [])
        let report = ClassificationReport(confusion)
        #expect(report.accuracy == 0)
        #expect(report.weightedAverage.f1 == 0)
        #expect(ExpectedCalibrationError(confidences: [], correct: []).value == 0)
        #expect(SelectiveRisk(confidences: [], correct: []).areaUnderRiskCoverage == 0)
        let none = Predictions(logits: [], labelCount: 3)
        #expect(none.negativeLogLikelihood([]) == 0)
        #expect(none.brierScore([]) == 0)
        #expect(
            CostAccuracyCurve(confidences: [], studentCorrect: [], teacherCorrect: []).point(share: 1).accuracy == 0)
    }

    @Test func extremeLogitsStayFinite() {
        let predictions = Predictions(logits: [1e30, -1e30, 0, 0, 3e38, -3e38], labelCount: 2, temperature: 0.05)
        #expect(predictions.confidences == [1, 0.5, 1])
        #expect(predictions.indices == [0, 0, 0])
        #expect(predictions.negativeLogLikelihood([1, 1, 1]).isFinite)
    }

    @Test func aConfidenceOnAnEdgeIsInTheBinBelow() {
        let error = ExpectedCalibrationError(
            confidences: [0, 0.25, 0.5, 0.75, 1], correct: Array(repeating: true, count: 5), bins: 4)
        #expect(error.bins.map(\.count) == [2, 1, 1, 1])
    }

    @Test func calibrationBinsCoverEveryLineAtTheirEdges() {
        let edges = (0...15).map { Float($0) / 15 }
        let error = ExpectedCalibrationError(confidences: edges, correct: edges.map { _ in true })
        #expect(error.bins.map(\.count).reduce(0, +) == 16)
        for bin in error.bins where bin.count > 0 {
            #expect(bin.confidence <= bin.upper + 1e-7)
            #expect(bin.confidence >= bin.lower)
        }
        // A quarter of the lines each at confidence 1/2 (half right) and 1 (all right): calibrated.
        let calibrated = ExpectedCalibrationError(
            confidences: [0.5, 0.5, 1, 1], correct: [true, false, true, true], bins: 10)
        #expect(calibrated.value == 0)
        let over = ExpectedCalibrationError(confidences: [1, 1, 1, 1], correct: [true, false, false, false])
        #expect(over.value == 0.75)
        #expect(over.maximum == 0.75)
    }

    /// Lines that tie must count by the mean over all their orders, here enumerated.
    @Test func tiesInConfidenceCountByTheMeanOverTheirOrders() {
        let confidences: [Float] = [0.9, 0.7, 0.7, 0.7, 0.4, 0.4]
        let correct = [true, false, true, true, true, false]
        var riskSum = 0.0
        var generalisedSum = 0.0
        var orders = 0
        for first in permutations([1, 2, 3]) {
            for second in permutations([4, 5]) {
                let order = [0] + first + second
                var wrong = 0.0
                for (position, line) in order.enumerated() {
                    let before = wrong
                    if !correct[line] { wrong += 1 }
                    riskSum += wrong / Double(position + 1) / 6
                    generalisedSum += (before + wrong) / 2 / 36
                }
                orders += 1
            }
        }
        let risk = SelectiveRisk(confidences: confidences, correct: correct)
        #expect(orders == 12)
        #expect(abs(risk.areaUnderRiskCoverage - riskSum / 12) < 1e-12)
        #expect(abs(risk.areaUnderGeneralisedRisk - generalisedSum / 12) < 1e-12)
    }

    private func permutations(_ elements: [Int]) -> [[Int]] {
        guard elements.count > 1 else { return [elements] }
        return elements.flatMap { first in
            permutations(elements.filter { $0 != first }).map { [first] + $0 }
        }
    }

    /// Traub et al. 2024, equation 8: AUGRC = (1 − AUROC) · acc · (1 − acc) + (1 − acc)²/2.
    @Test func theGeneralisedRiskFollowsFromTheROC() {
        var generator = SeededGenerator(seed: 5)
        let confidences = (0..<200).map { _ in (generator.uniform() * 40).rounded() / 40 }
        let correct = confidences.map { generator.uniform() < 0.3 + 0.6 * $0 }
        var pairs = 0.0
        var won = 0.0
        for right in correct.indices where correct[right] {
            for wrong in correct.indices where !correct[wrong] {
                pairs += 1
                won += confidences[right] > confidences[wrong] ? 1 : confidences[right] == confidences[wrong] ? 0.5 : 0
            }
        }
        let accuracy = Double(correct.count { $0 }) / 200
        let expected = (1 - won / pairs) * accuracy * (1 - accuracy) + (1 - accuracy) * (1 - accuracy) / 2
        let risk = SelectiveRisk(confidences: confidences, correct: correct)
        #expect(abs(risk.areaUnderGeneralisedRisk - expected) < 1e-12)
    }

    @Test func theCostCurveDefersTheLeastConfidentFirst() {
        let curve = CostAccuracyCurve(
            confidences: [0.9, 0.2, 0.6, 0.2, 0.8], studentCorrect: [true, false, false, true, true],
            teacherCorrect: [false, true, true, false, true])
        // Deferred in the order 1, 3, 2, 4, 0.
        #expect((0...5).map { curve.accuracy(deferring: $0) } == [0.6, 0.8, 0.6, 0.8, 0.8, 0.6])
        #expect(curve.point(share: 0.4).deferred == 2)
        #expect(curve.point(share: 0.4).threshold == 0.6)
        #expect(curve.point(share: 1).threshold == 1)
        #expect(curve.point(threshold: 0.2).deferred == 0)
        #expect(curve.point(threshold: 0.21).deferred == 2)
        #expect(curve.point(threshold: 2).deferred == 5)
        #expect(curve.table.map(\.share) == [0, 0.05, 0.1, 0.2, 0.3, 0.5, 1])
    }

    @Test func theCostCurveIsWhatACascadeWouldGive() {
        var generator = SeededGenerator(seed: 6)
        let confidences = (0..<101).map { _ in (generator.uniform() * 20).rounded() / 20 }
        let student = confidences.map { _ in generator.chance(0.7) }
        let teacher = confidences.map { _ in generator.chance(0.8) }
        let curve = CostAccuracyCurve(confidences: confidences, studentCorrect: student, teacherCorrect: teacher)
        for threshold in stride(from: Float(0), through: 1.05, by: 0.03) {
            var right = 0
            var deferred = 0
            for line in confidences.indices {
                let isDeferred = confidences[line] < threshold
                if isDeferred { deferred += 1 }
                if isDeferred ? teacher[line] : student[line] { right += 1 }
            }
            let point = curve.point(threshold: threshold)
            #expect(point.deferred == deferred)
            #expect(abs(point.accuracy - Double(right) / 101) < 1e-12)
        }
    }
}

@Suite struct EvaluationBootstrapTests {
    /// The interval must be the one that drawing whole lines gives, which for large n is the normal one.
    @Test func theIntervalIsTheNormalOneForManyLines() {
        var generator = SeededGenerator(seed: 8)
        let first = (0..<3000).map { _ in generator.chance(0.79) }
        let second = first.map { $0 ? !generator.chance(0.06) : generator.chance(0.15) }
        let result = PairedBootstrap(first: first, second: second, seed: 1)
        let deltas = zip(first, second).map { Double(($0 ? 1 : 0) - ($1 ? 1 : 0)) }
        let mean = deltas.reduce(0, +) / 3000
        let deviation = (deltas.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3000 / 3000).squareRoot()
        #expect(result.difference == mean)
        #expect(abs(result.lower - (mean - 1.96 * deviation)) < 0.12 * deviation)
        #expect(abs(result.upper - (mean + 1.96 * deviation)) < 0.12 * deviation)
    }

    @Test func theSameSeedGivesTheSameInterval() {
        let first = (0..<200).map { $0 % 3 != 0 }
        let second = (0..<200).map { $0 % 4 != 0 }
        #expect(
            PairedBootstrap(first: first, second: second, seed: 9)
                == PairedBootstrap(first: first, second: second, seed: 9))
        let swapped = PairedBootstrap(first: second, second: first, seed: 9)
        #expect(swapped.difference == -PairedBootstrap(first: first, second: second).difference)
        #expect(swapped.probabilityBetter > 0.9)
    }

    @Test func equalModelsDontDiffer() {
        let same = [true, false, true, true]
        let result = PairedBootstrap(first: same, second: same)
        #expect(result.difference == 0 && result.lower == 0 && result.upper == 0)
        #expect(result.probabilityBetter == 0.5)
    }

    /// Of intervals from many samples, about the stated share must hold the true difference.
    @Test func theIntervalCoversTheTruth() {
        var generator = SeededGenerator(seed: 10)
        var covered = 0
        for trial in 0..<300 {
            let first = (0..<400).map { _ in generator.chance(0.8) }
            let second = first.map { _ in generator.chance(0.7) }
            let result = PairedBootstrap(
                first: first, second: second, confidence: 0.9, replicates: 400, seed: UInt64(trial))
            if result.lower <= 0.1 && result.upper >= 0.1 { covered += 1 }
        }
        // Binomial (300, 0.9): standard deviation 5.2.
        #expect(abs(covered - 270) <= 21)
    }
}
