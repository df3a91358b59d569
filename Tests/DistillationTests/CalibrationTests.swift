import Distillation
import Glibc
import Models
import Tensors
import Testing

@Suite struct CalibrationTemperatureTests {
    @Test func theTemperatureIsSciPys() throws {
        for expected in try EvaluationGolden.load().probabilities {
            let fit = TemperatureScaling.fit(
                logits: expected.logits, labelCount: expected.labels, labels: expected.truth)
            #expect(abs(Double(fit.temperature) - expected.temperature) < 1e-4 * expected.temperature)
            #expect(abs(fit.lossAfter - expected.fittedLoss) < 1e-7)
            #expect(abs(fit.lossBefore - expected.negativeLogLikelihood) < 1e-6)
            #expect(fit.lossAfter <= fit.lossBefore)
        }
    }

    /// Multiplying the logits multiplies the temperature: any scale is undone.
    @Test(arguments: [0.2, 1, 3, 8] as [Float])
    func anyScaleIsUndone(scale: Float) throws {
        let golden = try EvaluationGolden.load().probabilities[0]
        let plain = TemperatureScaling.fit(logits: golden.logits, labelCount: golden.labels, labels: golden.truth)
        let scaled = TemperatureScaling.fit(
            logits: golden.logits.map { $0 * scale }, labelCount: golden.labels, labels: golden.truth)
        #expect(abs(scaled.temperature / (plain.temperature * scale) - 1) < 1e-4)
    }

    @Test func degenerateInputIsGuarded() {
        func temperature(_ logits: [Float], _ labels: [Int32], labelCount: Int = 2) -> Float {
            TemperatureScaling.fit(logits: logits, labelCount: labelCount, labels: labels).temperature
        }
        #expect(temperature([], []) == 1)
        #expect(temperature([1, 2], [-1]) == 1)
        #expect(temperature([0, 0, 3, 3], [0, 1]) == 1)
        #expect(temperature([1, 2], [0, 0], labelCount: 1) == 1)
        #expect(temperature([.nan, 0, .infinity, 0], [0, 1]) == 1)
        // All right: the sharper the better. All wrong: the flatter the better.
        #expect(temperature([2, 0, 0, 2], [0, 1]) == Float(TemperatureScaling.lowestTemperature))
        #expect(temperature([2, 0, 0, 2], [1, 0]) == Float(TemperatureScaling.highestTemperature))
        // Huge logits don't overflow.
        let huge = TemperatureScaling.fit(logits: [1e30, -1e30, -1e30, 1e30], labelCount: 2, labels: [0, 0])
        #expect(huge.temperature.isFinite && huge.lossAfter.isFinite)
    }

    @Test func unlabelledAndDamagedLinesDontCount() throws {
        let golden = try EvaluationGolden.load().probabilities[1]
        let plain = TemperatureScaling.fit(logits: golden.logits, labelCount: golden.labels, labels: golden.truth)
        let more = TemperatureScaling.fit(
            logits: golden.logits + [9, -9, .nan, 0], labelCount: golden.labels, labels: golden.truth + [-1, 0])
        #expect(more == plain)
    }
}

@Suite struct CalibrationThresholdTests {
    /// The definition, tried at every confidence.
    private func bruteForce(
        _ confidences: [Float], _ student: [Bool], _ teacher: [Bool], tolerance: Double, largestShare: Double
    ) -> Int? {
        let goal = Double(teacher.count { $0 }) / Double(teacher.count) - tolerance
        for threshold in [0] + Set(confidences).sorted().map(\.nextUp) {
            let deferred = confidences.count { $0 < threshold }
            let right = confidences.indices.count { confidences[$0] < threshold ? teacher[$0] : student[$0] }
            if Double(deferred) > largestShare * Double(confidences.count) { return nil }
            if Double(right) / Double(confidences.count) >= goal - 1e-12 { return deferred }
        }
        return nil
    }

    @Test func theThresholdIsTheSmallestThatReachesTheTeacher() {
        var generator = SeededGenerator(seed: 11)
        var reached = 0
        for trial in 0..<200 {
            let step: Float = trial % 2 == 0 ? 50 : 1e6
            let confidences = (0..<150).map { _ in (generator.uniform() * step).rounded() / step }
            let student = confidences.map { generator.uniform() < 0.5 + 0.5 * $0 }
            let teacher = confidences.map { _ in generator.chance(0.8) }
            let fit = DeferralThreshold.fit(
                confidences: confidences, studentCorrect: student, teacherCorrect: teacher, tolerance: 0.01,
                largestShare: 0.4)
            let expected = bruteForce(confidences, student, teacher, tolerance: 0.01, largestShare: 0.4)
            let deferred = confidences.count { $0 < fit.threshold }
            #expect(fit.isReached == (expected != nil))
            if let expected {
                #expect(deferred == expected)
                reached += 1
            }
            #expect(Double(deferred) <= 0.4 * 150)
            #expect(abs(fit.share - Double(deferred) / 150) < 1e-12)
            let right = confidences.indices.count { confidences[$0] < fit.threshold ? teacher[$0] : student[$0] }
            #expect(abs(fit.accuracy - Double(right) / 150) < 1e-12)
            #expect(fit.threshold >= 0 && fit.threshold <= 1)
        }
        #expect(reached > 20 && reached < 200)
    }

    @Test func aStudentAsGoodAsItsTeacherNeverAsks() {
        let fit = DeferralThreshold.fit(
            confidences: [0.5, 0.6], studentCorrect: [true, true], teacherCorrect: [true, true])
        #expect(fit.threshold == 0 && fit.isReached)
        let empty = DeferralThreshold.fit(confidences: [], studentCorrect: [], teacherCorrect: [])
        #expect(empty.threshold == 0)
    }

    @Test func sharesAreDeferredExactlyButForTies() {
        let confidences: [Float] = [0.1, 0.2, 0.3, 0.3, 0.3, 0.6, 0.7, 0.8, 0.9, 1]
        func deferred(_ share: Double) -> Int {
            let threshold = DeferralThreshold.deferring(share: share, confidences: confidences)
            return confidences.count { $0 < threshold }
        }
        #expect([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.9].map(deferred) == [0, 1, 2, 2, 2, 5, 9])
        #expect(DeferralThreshold.deferring(share: 0.5, confidences: []) == 0)
        #expect(DeferralThreshold.deferring(share: 1, confidences: confidences) == 1)
    }

    /// Halfway between the last line that is deferred and the first that isn't, so that rounding moves neither.
    @Test func theThresholdKeepsClearOfBothNeighbours() {
        let fit = DeferralThreshold.fit(
            confidences: [0.2, 0.6], studentCorrect: [false, true], teacherCorrect: [true, true], largestShare: 0.5)
        #expect(abs(fit.threshold - 0.4) < 1e-6 && fit.share == 0.5 && fit.isReached)
    }

    /// Where the teacher isn't reached within the share, no line is deferred that doesn't help.
    @Test func withoutReachingTheTeacherTheSmallestBestShareIsTaken() {
        let confidences = (1...10).map { Float($0) / 10 }
        let fit = DeferralThreshold.fit(
            confidences: confidences, studentCorrect: confidences.map { _ in false },
            teacherCorrect: confidences.indices.map { $0 == 0 || $0 > 4 }, largestShare: 0.3)
        #expect(!fit.isReached && fit.share == 0.1)
        #expect(confidences.count { $0 < fit.threshold } == 1)
    }

    /// The largest share itself is allowed.
    @Test func theLargestShareMayBeUsedUp() {
        let confidences = (1...10).map { Float($0) / 10 }
        let fit = DeferralThreshold.fit(
            confidences: confidences, studentCorrect: confidences.indices.map { $0 >= 3 },
            teacherCorrect: confidences.map { _ in true }, largestShare: 0.3)
        #expect(fit.isReached && fit.share == 0.3)
    }

    /// The threshold is for confidences at the fitted temperature, as the student serves.
    @Test(arguments: [0.3, 1, 4] as [Float])
    func theThresholdBelongsToTheFittedTemperature(scale: Float) throws {
        var generator = SeededGenerator(seed: 13)
        let count = 400
        let margins = (0..<count).map { _ in 4 * generator.uniform() }
        let labels = margins.map { Int32(generator.uniform() < 1 / (1 + exp(-$0)) ? 0 : 1) }
        let fit = StudentCalibration.fit(
            logits: margins.flatMap { [$0 * scale, 0] }, teacherLogits: labels.flatMap { $0 == 0 ? [4, 0] : [0, 4] },
            labels: labels, labelCount: 2, description: "made")
        let serving = Predictions(
            logits: margins.flatMap { [$0 * scale, 0] }, labelCount: 2, temperature: fit.calibration.temperature)
        let deferred = serving.confidences.count { $0 < fit.calibration.deferralThreshold }
        #expect(deferred == Int((fit.deferredShare * Double(count)).rounded()) && deferred > 0)
        #expect(abs(fit.calibration.temperature / scale - 1) < 0.5)
    }
}

@Suite struct CalibrationConformalTests {
    @Test func theBoundIsSciPys() throws {
        for expected in try EvaluationGolden.load().binomialBounds {
            let bound = SplitConformal.upperBound(
                errors: expected.errors, of: expected.lines, assurance: expected.assurance)
            #expect(abs(bound - expected.bound) < 1e-9)
        }
        #expect(SplitConformal.upperBound(errors: 3, of: 3, assurance: 0.9) == 1)
    }

    /// The promise itself: over many calibration sets, the true error above the threshold exceeds the target in no more
    /// than one in ten.
    @Test func thePromiseIsKept() {
        // A line at confidence c is wrong with probability (1 − c)/2; above threshold t: (1 − t)/4 of the lines.
        var generator = SeededGenerator(seed: 12)
        var broken = 0
        var answered = 0.0
        for _ in 0..<300 {
            let confidences = (0..<1500).map { _ in generator.uniform() }
            let correct = confidences.map { !generator.chance((1 - $0) / 2) }
            let fit = SplitConformal.fit(confidences: confidences, correct: correct, targetError: 0.1)
            if (1 - Double(fit.threshold)) / 4 > 0.1 { broken += 1 }
            answered += fit.answeredShare
            #expect(fit.errorBound <= 0.1 || fit.answeredShare == 0)
            #expect(
                fit.answeredShare == 0
                    || confidences.count { $0 >= fit.threshold } == Int((fit.answeredShare * 1500).rounded()))
        }
        // Binomial (300, 0.1): 30 expected at most, standard deviation 5.2.
        #expect(broken <= 46)
        // The most that could be answered is 40 %; the price of the promise should be small.
        #expect(answered / 300 > 0.27)
    }

    /// Lines of one confidence are answered or deferred together, however their errors lie.
    @Test func nothingIsPromisedForPartOfATie() {
        let fit = SplitConformal.fit(
            confidences: Array(repeating: 0.9, count: 1000), correct: (0..<1000).map { $0 < 600 }, targetError: 0.1)
        #expect(fit.threshold == 1 && fit.answeredShare == 0)
    }

    @Test func withoutEnoughLinesNothingIsPromised() {
        let few = SplitConformal.fit(
            confidences: Array(repeating: 0.9, count: 20), correct: Array(repeating: true, count: 20),
            targetError: 0.02)
        #expect(few.threshold == 1 && few.answeredShare == 0)
        let none = SplitConformal.fit(confidences: [], correct: [], targetError: 0.02)
        #expect(none.threshold == 1)
        let allRight = SplitConformal.fit(
            confidences: (0..<1000).map { Float($0) / 1000 }, correct: Array(repeating: true, count: 1000),
            targetError: 0.02)
        #expect(allRight.threshold == 0 && allRight.answeredShare == 1)
    }
}
