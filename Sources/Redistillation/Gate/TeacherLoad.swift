import Configuration
import Distillation
import Models

/// How much of the teacher's time a student takes, and how much more a new one may.
///
/// Two students are compared at the same error among their own answers: the configured target, or the one that the serving
/// student has at its own threshold.
enum TeacherLoad {
    /// The error at which loads are compared; nil where nothing says one.
    ///
    /// - Parameters:
    ///   - threshold: the serving student's own; nil: it has none.
    ///   - serving: its answers on the holdout.
    static func targetError(
        _ policy: ThresholdPolicy, threshold: Float?, serving: Predictions, truth: [Int32]
    ) -> Double? {
        if case .targetError(let target) = policy { return target }
        guard let threshold else { return nil }
        return TargetErrorThreshold.error(
            confidences: serving.confidences, correct: serving.correct(truth), threshold: threshold)
    }

    /// Keeps a candidate's own threshold from raising the load by itself. It is fitted to what the cascade reaches, on a
    /// curve that is flat there, so that chance moves it far: where it defers more than is allowed, the one at the same
    /// error takes its place.
    static func limited(
        _ calibration: StudentCalibration, candidate: Predictions, truth: [Int32], teacherLogits: [Float],
        targetError: Double?, servingShare: Double, _ gate: RedistillSettings.Gate
    ) -> StudentCalibration {
        guard let targetError, calibration.deferredShare > gate.allowedLoad(serving: servingShare) else {
            return calibration
        }
        let correct = candidate.correct(truth)
        let found = TargetErrorThreshold(
            confidences: candidate.confidences, correct: correct, targetError: targetError)
        guard found.deferredShare < calibration.deferredShare else { return calibration }
        let teacher = Predictions(logits: teacherLogits, labelCount: candidate.labelCount).correct(truth)
        let point = CostAccuracyCurve(
            confidences: candidate.confidences, studentCorrect: correct, teacherCorrect: teacher
        ).point(threshold: found.threshold)
        var limited = calibration
        limited.calibration.deferralThreshold = found.threshold
        limited.deferredShare = point.share
        limited.cascadeAccuracy = point.accuracy
        return limited
    }
}

extension RedistillSettings.Gate {
    /// The share of lines that a new student may defer where the serving one defers `share`.
    func allowedLoad(serving share: Double) -> Double { share * (1 + maximumLoadGrowth) + loadAllowance }
}
