import Configuration
import Diagnostics
import Distillation
import Glibc
import Models
import Store
import Tensors

/// One run of re-distillation, from the lock to the promotion or a refusal with its reason.
///
/// The serving student is unchanged until the last step, which changes the registry's link. A killed run leaves a
/// workplace, which the next run removes, and an unfinished row in the store, which the next run closes.
public final class RedistillRun {
    private let request: RunRequest
    private let progress: ProgressMeter
    private let limits: RunLimits
    private let load: (String) throws(UnderstudyError) -> any LineClassifier
    private let report: @Sendable (UnderstudyError) -> Void
    /// Microseconds since 1970.
    private let now: () -> Int64

    /// - Parameters:
    ///   - loadTeacher: loads the model in a directory.
    ///   - wasInterrupted: returns whether a signal has requested the end.
    ///   - report: receives messages that aren't fatal.
    public init(
        _ request: RunRequest, progress: ProgressMeter,
        loadTeacher: @escaping (String) throws(UnderstudyError) -> any LineClassifier,
        wasInterrupted: @escaping @Sendable () -> Bool, report: @escaping @Sendable (UnderstudyError) -> Void
    ) {
        self.request = request
        self.progress = progress
        load = loadTeacher
        self.report = report
        limits = RunLimits(
            minutes: request.redistill.maximumMinutes, mebibytes: request.redistill.maximumMemoryMebibytes,
            wasInterrupted: wasInterrupted)
        now = {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
        }
    }

    /// Runs to the end.
    ///
    /// Throws `tryAgain` if another run is active, or if this one was interrupted or exceeded its limits;
    /// `missingInput`, `invalidData` or `configuration` for its inputs; `inputOutput`, `noSpace` or `cannotCreate` for
    /// state and registry. The serving student is then unchanged.
    public func run() throws(UnderstudyError) -> RedistillOutcome {
        unlink(RunRequest.requestFile(state: request.state))
        guard try PathLookup.exists(request.state + "/state.sqlite") else {
            return RedistillOutcome(
                run: nil, sentence: "nothing to do: there is no log yet; the daemon creates it when it first runs")
        }
        let lock = try ProcessLock(path: request.state + "/redistill.lock") { holder in
            "another run\(holder) is in progress; wait until it ends"
        }
        defer { withExtendedLifetime(lock) {} }
        RunFolder.remove(request.workplace)
        let store = try Store.openBeside(directory: request.state, readOnly: false, report: report)
        try store.markInterruptedRuns(now: now())
        let new = try store.newRows()
        guard new.count >= request.redistill.minimumNewRows else {
            let since = new.since.map { " since run \($0)" } ?? ""
            return RedistillOutcome(
                run: nil,
                sentence: "nothing to do: \(new.count) new rows in the log\(since), "
                    + "\(request.redistill.minimumNewRows) are needed")
        }
        var run = try store.beginRun(started: now(), isDryRun: request.isDryRun)
        run.lastRow = new.lastRow
        CrashPoint.runBegun.pass()
        UnfinishedDirectories.begin(request.workplace)
        defer {
            RunFolder.remove(request.workplace)
            UnfinishedDirectories.end(request.workplace)
        }
        do throws(UnderstudyError) {
            try RunFolder.make(request.workplace)
            try work(&run, store)
        } catch {
            run.outcome = limits.breach == .interrupted ? .interrupted : .failed
            run.content.reason = error.description
            try? finish(&run, store)
            throw error
        }
        try finish(&run, store)
        return RedistillOutcome(run: run, sentence: sentence(run))
    }

    private func finish(_ run: inout RedistillationRun, _ store: Store) throws(UnderstudyError) {
        run.finished = now()
        run.content.seconds = limits.seconds
        run.content.peakBytes = RunLimits.peakBytes
        try store.update(run)
    }

    // MARK: The steps

    private func work(_ run: inout RedistillationRun, _ store: Store) throws(UnderstudyError) {
        let materials = try RunMaterials(request, teacher: load)
        run.content.parent = materials.serving.version
        run.content.teacher = materials.teacher.version
        run.content.teacherFingerprint = materials.teacherFingerprint
        let seed = UInt64(request.redistill.seed) &+ UInt64(run.number)
        var findings = RunFindings(materials: materials, seed: seed)
        findings.harvest = try harvest(materials, store, upTo: run.lastRow)
        findings.replay = ReplaySample.choose(
            request.redistill.replayRows, from: materials.base, seed: seed, holdout: materials.holdout,
            log: findings.harvest.learnt)
        note(findings, in: &run)
        CrashPoint.harvested.pass()
        try limits.check()

        let panel = try materials.panel(request)
        let training = CandidateTraining(
            request: request, materials: materials, harvest: findings.harvest, replay: findings.replay, seed: seed,
            limits: limits, progress: progress)
        let trial = CandidateTrial(request: request, limits: limits, progress: progress)
        findings.evidence = try trial.evidence(findings, training)
        let gate = Gate(request.redistill.gate, seed: seed)
        findings.decision = gate.decide(findings.evidence)
        if findings.decision.failed.isEmpty {
            try trial.train(&findings, training, panel)
            findings.decision = gate.decide(findings.evidence)
        }
        run.content.criteria = findings.decision.criteria
        CrashPoint.decided.pass()
        try limits.checkAllButTime()
        try materials.checkUnchanged(request)
        let publication = CandidatePublication(
            request: request, registry: StudentRegistry(directory: request.settings.registryDirectory), report: report,
            now: now)
        try publication.conclude(&run, findings)
        run.content.seconds = limits.seconds
        run.content.peakBytes = RunLimits.peakBytes
        run.content.report = publication.writeReport(run, findings)
    }

    private func harvest(
        _ materials: RunMaterials, _ store: Store, upTo lastRow: Int64
    ) throws(UnderstudyError) -> Harvest.Outcome {
        let name = materials.teacher.version
        var harvest = Harvest(
            labels: materials.labels, holdout: materials.holdout, heldOutShare: request.redistill.heldOutShare,
            teacherFingerprint: materials.teacherFingerprint, knowsTeacher: { $0.teacher == name })
        progress.begin("harvest", total: nil, unit: "rows")
        let damaged = try store.forEachRow(newest: request.redistill.logRows, upTo: lastRow) {
            (row, _) throws(UnderstudyError) in
            harvest.add(row)
            progress.advance()
        }
        progress.end()
        return harvest.finish(damaged: damaged)
    }

    private func note(_ findings: RunFindings, in run: inout RedistillationRun) {
        let counts = findings.harvest.counts
        run.content.rowsRead = counts.read
        run.content.rowsLearnt = counts.learnt
        run.content.rowsHeldOut = counts.heldOut
        run.content.humanLabels = counts.humanLabels
        run.content.replayed = findings.replay.count
        progress.note(
            "\(counts.read) rows of the log: \(counts.learnt) for training (\(counts.humanLabels) labelled by people), "
                + "\(counts.heldOut) held out, \(counts.duplicates) + \(counts.nearDuplicates) duplicates, "
                + "\(counts.inHoldout) in the holdout, \(counts.otherLabels + counts.unusable + counts.damaged) unusable; "
                + "\(findings.replay.count) lines replayed")
    }

    private func sentence(_ run: RedistillationRun) -> String {
        let candidate = run.content.candidate ?? "the candidate"
        switch run.outcome {
        case .promoted: return "run \(run.number): \(candidate) serves from now on"
        case .shadowing:
            return
                "run \(run.number): \(candidate) passed and runs in shadow mode before it is promoted"
        case .passed: return "run \(run.number): \(candidate) passed; nothing was promoted, since this was a dry run"
        case .refused: return "run \(run.number): refused, the serving student is kept: \(run.content.reason)"
        case .running, .failed, .interrupted: return "run \(run.number): \(run.content.reason)"
        }
    }
}
