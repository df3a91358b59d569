import Configuration
import Distillation
import Models

/// The measurements that the gate judges a candidate by.
public struct GateEvidence: Sendable {
    /// A student's answers on the holdout, and its costs.
    public struct Measured: Sendable {
        public var version: String
        /// Logits of the holdout's lines, row-major (n, labels).
        public var logits: [Float]
        /// The temperature that it serves with.
        public var temperature: Float
        /// Labels that it gives to the log's held-out lines, (m).
        public var heldOut: [Int32]
        /// Expected calibration error on the holdout, a share.
        public var calibrationError: Double
        public var linesPerSecond: Double
        /// Size of its weights in bytes.
        public var bytes: Int

        public init(
            version: String, logits: [Float], temperature: Float, heldOut: [Int32], calibrationError: Double,
            linesPerSecond: Double, bytes: Int
        ) {
            self.version = version
            self.logits = logits
            self.temperature = temperature
            self.heldOut = heldOut
            self.calibrationError = calibrationError
            self.linesPerSecond = linesPerSecond
            self.bytes = bytes
        }
    }

    public var labels: [String]
    /// Labels of the holdout, (n); none is unknown.
    public var truth: [Int32]
    /// Number of log lines left for training after filtering, and the minimum number.
    public var learnt: Int
    public var minimumLearnt: Int
    /// Training lines by label, including replayed ones.
    public var learntPerLabel: [Int]
    /// Holdout lines that are also in the log.
    public var overlap: Int
    /// Number of logits of the log compared with the teacher's, and number that matched.
    public var logitsCompared: Int
    public var logitsHeld: Int
    /// The teacher's labels of the log's held-out lines, (m).
    public var heldOutTeacher: [Int32]
    /// nil before training.
    public var candidate: Measured?
    public var serving: Measured?
    /// The error of a student's own answers at which the teacher's load is compared, 0 … 1; nil if there is none.
    public var targetError: Double?
    /// Holdout logits of a student trained on labels alone from the same initial weights; nil if there are too few
    /// labels.
    public var alone: [Float]?
    /// Number of epochs trained, and whether the time limit ended the training.
    public var epochs: Int
    public var wasCutShort: Bool

    public init(labels: [String], truth: [Int32]) {
        self.labels = labels
        self.truth = truth
        learnt = 0
        minimumLearnt = 0
        learntPerLabel = []
        overlap = 0
        logitsCompared = 0
        logitsHeld = 0
        heldOutTeacher = []
        epochs = 0
        wasCutShort = false
    }
}

/// Compares candidate and serving student on the holdout.
struct Comparison {
    let labels: [String]
    let truth: [Int32]
    let candidate: GateEvidence.Measured
    let serving: GateEvidence.Measured
    /// Whether all logits are finite. If not, the other results are invalid.
    let isFinite: Bool
    let candidateCorrect: [Bool]
    let servingCorrect: [Bool]

    init(_ evidence: GateEvidence, _ candidate: GateEvidence.Measured, _ serving: GateEvidence.Measured) {
        labels = evidence.labels
        truth = evidence.truth
        self.candidate = candidate
        self.serving = serving
        let count = evidence.truth.count * evidence.labels.count
        isFinite =
            !evidence.truth.isEmpty && candidate.logits.count == count && serving.logits.count == count
            && candidate.logits.allSatisfy(\.isFinite) && serving.logits.allSatisfy(\.isFinite)
        guard isFinite else {
            candidateCorrect = []
            servingCorrect = []
            return
        }
        candidateCorrect = Predictions(logits: candidate.logits, labelCount: labels.count).correct(truth)
        servingCorrect = Predictions(logits: serving.logits, labelCount: labels.count).correct(truth)
    }

    var candidateAccuracy: Double { Self.share(candidateCorrect) }
    var servingAccuracy: Double { Self.share(servingCorrect) }

    /// Change of recall for each label; 0 for a label without lines.
    var recallChanges: [Double] {
        var lines = [Int](repeating: 0, count: labels.count)
        var change = [Int](repeating: 0, count: labels.count)
        for (line, label) in truth.enumerated() {
            lines[Int(label)] += 1
            change[Int(label)] += (candidateCorrect[line] ? 1 : 0) - (servingCorrect[line] ? 1 : 0)
        }
        return zip(change, lines).map { $1 > 0 ? Double($0) / Double($1) : 0 }
    }

    /// Returns the share of the holdout that a student defers if its own answers must have the error `target`.
    func deferred(_ student: GateEvidence.Measured, _ correct: [Bool], _ target: Double) -> Double {
        let predictions = Predictions(
            logits: student.logits, labelCount: labels.count, temperature: student.temperature)
        return TargetErrorThreshold(
            confidences: predictions.confidences, correct: correct, targetError: target
        ).deferredShare
    }

    private static func share(_ hits: [Bool]) -> Double { Double(hits.count { $0 }) / Double(max(hits.count, 1)) }
}

/// Compares the load that students put on the teacher, and limits its growth.
///
/// Two students are compared at an equal error of their own answers: the configured target, or the error of the serving
/// student at its threshold.
enum TeacherLoad {
    /// Returns the error at which loads are compared; nil if there is none.
    ///
    /// - Parameters:
    ///   - threshold: the serving student's threshold; nil if it has none.
    ///   - serving: its answers on the holdout.
    static func targetError(
        _ policy: ThresholdPolicy, threshold: Float?, serving: Predictions, truth: [Int32]
    ) -> Double? {
        if case .targetError(let target) = policy { return target }
        guard let threshold else { return nil }
        return TargetErrorThreshold.error(
            confidences: serving.confidences, correct: serving.correct(truth), threshold: threshold)
    }

    /// Keeps a candidate's threshold from raising the load by chance. The threshold is fitted to the accuracy of the
    /// cascade, whose curve is flat there, so noise moves it far. If it defers more than allowed, it is replaced by the
    /// threshold of equal error.
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
    /// Returns the maximum share of deferred lines for a serving student that defers `share`.
    func allowedLoad(serving share: Double) -> Double { share * (1 + maximumLoadGrowth) + loadAllowance }
}
