import Configuration
import Diagnostics
import Distillation
import Models
import Tensors
import Text

/// The costly part of a run: making a candidate and measuring it.
extension RedistillRun {
    /// Logits of the log that are compared with the teacher's own: enough to notice that they aren't.
    private static let comparedLogits = 48

    /// What the gate judges before any training.
    func evidence(
        _ findings: RunFindings, _ training: CandidateTraining
    ) throws(UnderstudyError) -> GateEvidence {
        let harvest = findings.harvest
        var evidence = findings.evidence
        evidence.learnt = harvest.counts.learnt
        // Most of the new rows should be of use: half may be duplicates or held out.
        evidence.minimumLearnt = max(1, request.redistill.minimumNewRows / 2)
        evidence.learntPerLabel = training.perLabel
        evidence.overlap = harvest.counts.overlappingHoldoutLines
        evidence.heldOutTeacher = (0..<harvest.heldOut.count).map {
            harvest.teacherLabels[harvest.heldOut.textHashes[$0]] ?? -1
        }
        (evidence.logitsCompared, evidence.logitsHeld) = try compareLogits(findings)
        return evidence
    }

    /// Asks the teacher about some lines whose logits the log has. A log that says otherwise than the teacher it names is
    /// not to be learnt from.
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
            // Batches round differently; on the edge between two labels that may decide.
            return before.indices[0] == now.indices[line]
                || abs(before.confidences[0] - now.confidences[line]) < 0.05 && now.confidences[line] < 0.6
        }
        return (sample.count, held)
    }

    /// Makes the candidate and its twin without a teacher, writes the candidate to the workplace, and measures it there
    /// beside the serving student.
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
        // The threshold goes with the weights as they are stored and run.
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
        // Where the time is over already, its twin is not waited for.
        if limits.breach == nil, let alone = try training.alone() {
            findings.evidence.alone = try aloneLogits(alone, findings, measuring)
        }
    }

    /// The candidate's temperature and threshold from the holdout; its threshold may not raise the teacher's load beyond
    /// what the gate allows. Notes the error at which the gate compares loads.
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

    /// Share of the holdout's tokens that the tokenizer doesn't know.
    private func unknownShare(_ findings: RunFindings) -> Double? {
        let materials = findings.materials
        guard let unknown = materials.tokenizer.specialTokens.unknown else { return nil }
        let corpus = EncodedCorpus(
            materials.holdout.lines, with: StudentFiles.features(materials.serving.configuration, materials.tokenizer))
        let ids = corpus.lines.tokens.ids
        return Double(ids.count { $0 == unknown }) / Double(max(ids.count, 1))
    }
}
