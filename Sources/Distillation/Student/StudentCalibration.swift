import Models

/// Temperature and deferral threshold of a student, fitted on validation lines.
public struct StudentCalibration: Sendable, Equatable {
    public var calibration: Calibration
    /// On the validation lines.
    public var studentAccuracy: Double
    public var teacherAccuracy: Double?
    /// What the threshold defers of them, and the cascade's accuracy then.
    public var deferredShare: Double
    public var cascadeAccuracy: Double
    public var calibrationErrorBefore: Double
    public var calibrationErrorAfter: Double

    /// Without a teacher the threshold is the one that would defer the least confident tenth.
    static let shareWithoutTeacher = 0.1

    /// - Parameters:
    ///   - logits: (n, labelCount) of the student; `teacherLogits` likewise.
    ///   - labels: (n), −1 where unknown: left out.
    public static func fit(
        logits: [Float], teacherLogits: [Float]?, labels: [Int32], labelCount: Int, description: String
    ) -> StudentCalibration {
        let known = labels.indices.filter { labels[$0] >= 0 }
        func rows(_ values: [Float]) -> [Float] {
            known.flatMap { values[$0 * labelCount..<($0 + 1) * labelCount] }
        }
        let truth = known.map { labels[$0] }
        let scaling = TemperatureScaling.fit(logits: rows(logits), labelCount: labelCount, labels: truth)
        let before = Predictions(logits: rows(logits), labelCount: labelCount, temperature: 1)
        let after = Predictions(logits: rows(logits), labelCount: labelCount, temperature: scaling.temperature)
        let correct = after.correct(truth)
        let teacher = teacherLogits.map { Predictions(logits: rows($0), labelCount: labelCount, temperature: 1) }
        let teacherCorrect = teacher.map { $0.correct(truth) }
        func accuracy(_ hits: [Bool]) -> Double { Double(hits.count { $0 }) / Double(max(hits.count, 1)) }
        var result = StudentCalibration(
            calibration: Calibration(
                temperature: scaling.temperature, deferralThreshold: 0, holdoutDescription: description),
            studentAccuracy: accuracy(correct), teacherAccuracy: teacherCorrect.map(accuracy), deferredShare: 0,
            cascadeAccuracy: accuracy(correct),
            calibrationErrorBefore: ExpectedCalibrationError(confidences: before.confidences, correct: correct).value,
            calibrationErrorAfter: ExpectedCalibrationError(confidences: after.confidences, correct: correct).value)
        if let teacherCorrect {
            let fit = DeferralThreshold.fit(
                confidences: after.confidences, studentCorrect: correct, teacherCorrect: teacherCorrect)
            result.calibration.deferralThreshold = fit.threshold
            result.deferredShare = fit.share
            result.cascadeAccuracy = fit.accuracy
        } else {
            result.calibration.deferralThreshold = DeferralThreshold.deferring(
                share: shareWithoutTeacher, confidences: after.confidences)
            result.deferredShare = shareWithoutTeacher
        }
        return result
    }
}
