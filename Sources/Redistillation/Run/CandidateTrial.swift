import Configuration
import Diagnostics
import Distillation
import Glibc
import Models
import Tensors
import Text

/// The expensive part of a run: training a candidate, and the measurements that the gate judges it by.
struct CandidateTrial {
    let request: RunRequest
    let limits: RunLimits
    let progress: ProgressMeter

    /// Number of the log's logits that are compared with the teacher's; enough to detect a mismatch.
    private static let comparedLogits = 48

    /// Returns the evidence that the gate judges before training.
    func evidence(
        _ findings: RunFindings, _ training: CandidateTraining
    ) throws(UnderstudyError) -> GateEvidence {
        let harvest = findings.harvest
        var evidence = findings.evidence
        evidence.learnt = harvest.counts.learnt
        // At least half of the new rows must be usable; the rest may be duplicates or held out.
        evidence.minimumLearnt = max(1, request.redistill.minimumNewRows / 2)
        evidence.learntPerLabel = training.perLabel
        evidence.overlap = harvest.counts.overlappingHoldoutLines
        evidence.heldOutTeacher = (0..<harvest.heldOut.count).map {
            harvest.teacherLabels[harvest.heldOut.textHashes[$0]] ?? -1
        }
        (evidence.logitsCompared, evidence.logitsHeld) = try compareLogits(findings)
        return evidence
    }

    /// Runs the teacher on some lines and compares its logits with those in the log. A log that disagrees with the
    /// teacher it names is not used for training.
    private func compareLogits(_ findings: RunFindings) throws(UnderstudyError) -> (compared: Int, held: Int) {
        let learnt = findings.harvest.learnt
        let known = (0..<learnt.count).filter { findings.harvest.known[learnt.textHashes[$0]] != nil }
        let step = max(1, known.count / Self.comparedLogits)
        let chosen = stride(from: 0, to: known.count, by: step).prefix(Self.comparedLogits).map { known[$0] }
        guard !chosen.isEmpty else { return (0, 0) }
        let sample = learnt.rows(chosen)
        let teacher = findings.materials.teacher
        let logits = try Evaluator().logits(of: sample, by: teacher)
        let width = teacher.labels.count
        let now = Predictions(logits: logits, labelCount: width)
        let held = (0..<sample.count).count { line in
            let before = Predictions(
                logits: findings.harvest.known[sample.textHashes[line]] ?? [], labelCount: width)
            // Rounding differs between batches, which may flip the label of a line between two labels.
            return before.indices[0] == now.indices[line]
                || abs(before.confidences[0] - now.confidences[line]) < 0.05 && now.confidences[line] < 0.6
        }
        return (sample.count, held)
    }

    /// Trains the candidate and the student without a teacher, writes the candidate to the workplace, and measures it
    /// there together with the serving student.
    func train(
        _ findings: inout RunFindings, _ training: CandidateTraining, _ panel: TeacherPanel
    ) throws(UnderstudyError) {
        let materials = findings.materials
        let limits = limits
        let teacherLogits = try limits.explaining { () throws(UnderstudyError) in
            try panel.logits(of: materials.holdout, progress: progress, shouldStop: { limits.breach != nil })
        }
        findings.teacherLogits = teacherLogits.storage.array
        let candidate = try training.candidate(panel)
        CrashPoint.trained.pass()
        let directory = try write(candidate, findings)
        CrashPoint.measured.pass()
        let student = try StudentFiles.load(directory: directory)
        let measuring = Measuring(
            holdout: materials.holdout, heldOut: findings.harvest.heldOut, threads: request.redistill.threads)
        var result = candidate
        // The threshold is fitted to the weights as stored.
        let logits = try measuring.logits(student)
        let servingLogits = try measuring.logits(materials.serving)
        let calibration = calibration(&findings, logits, servingLogits)
        result.configuration.calibration = calibration.calibration
        result.metrics.calibration = calibration
        findings.candidate = result
        findings.candidateDirectory = try write(result, findings)
        findings.candidateReference = reference(student, logits, calibration.calibration.temperature, findings)
        try measure(&findings, student, logits, servingLogits, measuring)
        findings.evidence.epochs = candidate.metrics.losses.count
        findings.evidence.wasCutShort = candidate.metrics.wasInterrupted
        // After a time-out the student without a teacher is skipped.
        if limits.breach == nil, let alone = try training.alone() {
            findings.evidence.alone = try aloneLogits(alone, findings, measuring)
        }
    }

    /// Fits the candidate's temperature and threshold to the holdout. The threshold must not raise the teacher's load
    /// above the gate's limit. Records the error at which the gate compares loads.
    private func calibration(
        _ findings: inout RunFindings, _ logits: [Float], _ servingLogits: [Float]
    ) -> StudentCalibration {
        let materials = findings.materials
        let truth = materials.holdout.labelIndices
        let labelCount = materials.labels.count
        let fitted = StudentCalibration.fit(
            logits: logits, teacherLogits: findings.teacherLogits, labels: truth, labelCount: labelCount,
            description: "\(materials.holdout.count) lines of the holdout")
        let serving = Predictions(
            logits: servingLogits, labelCount: labelCount, temperature: materials.serving.temperature)
        let threshold = materials.serving.deferralThreshold
        findings.evidence.targetError = TeacherLoad.targetError(
            request.settings.cascade.threshold, threshold: threshold, serving: serving, truth: truth)
        let deferred = threshold.map { threshold in serving.confidences.count { $0 < threshold } } ?? 0
        return TeacherLoad.limited(
            fitted,
            candidate: Predictions(
                logits: logits, labelCount: labelCount, temperature: fitted.calibration.temperature),
            truth: truth, teacherLogits: findings.teacherLogits, targetError: findings.evidence.targetError,
            servingShare: Double(deferred) / Double(max(truth.count, 1)), request.redistill.gate)
    }

    private func measure(
        _ findings: inout RunFindings, _ candidate: Student, _ logits: [Float], _ servingLogits: [Float],
        _ measuring: Measuring
    ) throws(UnderstudyError) {
        let materials = findings.materials
        let truth = materials.holdout.labelIndices
        let speeds = try measuring.speeds(candidate, materials.serving)
        func measured(
            _ student: Student, _ logits: [Float], _ temperature: Float, _ error: Double, _ speed: Double,
            _ directory: String
        ) throws(UnderstudyError) -> GateEvidence.Measured {
            GateEvidence.Measured(
                version: student.version, logits: logits, temperature: temperature,
                heldOut: try measuring.labels(ofHeldOut: student), calibrationError: error, linesPerSecond: speed,
                bytes: try Measuring.bytes(directory: directory))
        }
        let labelCount = materials.labels.count
        let candidateError = CrossFitting.calibrationError(logits: logits, labelCount: labelCount, labels: truth).value
        let predictions = Predictions(
            logits: servingLogits, labelCount: labelCount, temperature: materials.serving.temperature)
        let servingError = ExpectedCalibrationError(
            confidences: predictions.confidences, correct: predictions.correct(truth)
        ).value
        findings.evidence.candidate = try measured(
            candidate, logits, findings.candidate?.configuration.calibration?.temperature ?? 1, candidateError,
            speeds.one, findings.candidateDirectory ?? request.workplace)
        findings.evidence.serving = try measured(
            materials.serving, servingLogits, materials.serving.temperature, servingError, speeds.other,
            materials.servingDirectory)
    }

    private func aloneLogits(
        _ alone: StudentDistiller.Result, _ findings: RunFindings, _ measuring: Measuring
    ) throws(UnderstudyError) -> [Float] {
        let features = StudentFiles.features(alone.configuration, findings.materials.tokenizer)
        let student = Student(alone.configuration, weights: alone.weights, features: features)
        return try measuring.logits(student)
    }

    private func write(
        _ candidate: StudentDistiller.Result, _ findings: RunFindings
    ) throws(UnderstudyError) -> String {
        let directory = request.workplace + "/candidate"
        RunFolder.remove(directory)
        try RunFolder.make(directory)
        try StudentFiles.write(
            candidate.configuration, candidate.weights, tokenizer: findings.materials.tokenizer, to: directory)
        return directory
    }

    private func reference(
        _ student: Student, _ logits: [Float], _ temperature: Float, _ findings: RunFindings
    ) -> StudentReference {
        let predictions = Predictions(
            logits: logits, labelCount: student.labels.count, temperature: temperature)
        return StudentReference(
            labels: student.labels, predicted: predictions.indices, confidences: predictions.confidences,
            unknownTokenShare: unknownShare(findings))
    }

    /// Share of the holdout's tokens that are unknown to the tokenizer.
    private func unknownShare(_ findings: RunFindings) -> Double? {
        let materials = findings.materials
        guard let unknown = materials.tokenizer.specialTokens.unknown else { return nil }
        let corpus = EncodedCorpus(
            materials.holdout.lines, with: StudentFiles.features(materials.serving.configuration, materials.tokenizer))
        let ids = corpus.lines.tokens.ids
        return Double(ids.count { $0 == unknown }) / Double(max(ids.count, 1))
    }
}

/// Measures students as they serve: loaded from their files, on the fast path.
struct Measuring {
    let holdout: DataSet
    let heldOut: DataSet
    let threads: Int

    /// Rounds of the speed comparison; the best one counts.
    private static let rounds = 7
    /// Minimum number of lines per round; the holdout is repeated to reach it.
    private static let linesOfRound = 4000

    func logits(_ student: any LineClassifier) throws(UnderstudyError) -> [Float] {
        try evaluator.logits(of: holdout, by: student)
    }

    func labels(ofHeldOut student: any LineClassifier) throws(UnderstudyError) -> [Int32] {
        guard !heldOut.isEmpty else { return [] }
        return Predictions(
            logits: try evaluator.logits(of: heldOut, by: student), labelCount: student.labels.count
        ).indices
    }

    /// Returns the lines per second of both students on one thread. It measures processor time and takes the best of
    /// several rounds, because the daemon may load the machine.
    func speeds(
        _ one: any LineClassifier, _ other: any LineClassifier
    ) throws(UnderstudyError) -> (one: Double, other: Double) {
        var evaluator = Evaluator()
        evaluator.latencyLines = 0
        let repeats = max(1, Self.linesOfRound / max(holdout.count, 1))
        func speed(_ student: any LineClassifier) throws(UnderstudyError) -> Double {
            let begun = Self.processorSeconds
            for _ in 0..<repeats { _ = try evaluator.logits(of: holdout, by: student) }
            return Double(repeats * holdout.count) / max(Self.processorSeconds - begun, 1e-9)
        }
        var speeds: [(one: Double, other: Double)] = []
        // The first round is a warm-up and isn't counted.
        for _ in 0...Self.rounds { speeds.append((try speed(one), try speed(other))) }
        let warm = speeds.dropFirst()
        return (warm.map(\.one).max() ?? 0, warm.map(\.other).max() ?? 0)
    }

    /// Processor time used by this process.
    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Returns the size of the candidate's file in bytes.
    static func bytes(directory: String) throws(UnderstudyError) -> Int {
        try MappedFile(path: "\(directory)/\(ModelDirectory.weights)").count
    }

    private var evaluator: Evaluator {
        var evaluator = Evaluator()
        evaluator.threads = threads
        return evaluator
    }
}
