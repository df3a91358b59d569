import Configuration
import Diagnostics
import Distillation
import Foundation
import Models
import Store
import Tensors

/// The end of a run: publication, promotion, clean-up, report.
struct CandidatePublication {
    let request: RunRequest
    let registry: StudentRegistry
    let report: @Sendable (UnderstudyError) -> Void
    /// Microseconds since 1970.
    let now: () -> Int64

    /// Acts on the gate's verdict.
    func conclude(_ run: inout RedistillationRun, _ findings: RunFindings) throws(UnderstudyError) {
        run.content.reason = findings.decision.reason
        guard findings.decision.isPassed, findings.candidate != nil else {
            run.outcome = .refused
            return
        }
        let entry = try publish(run, findings)
        run.content.candidate = entry.version
        CrashPoint.published.pass()
        if request.isDryRun {
            run.outcome = .passed
        } else {
            try promote(entry, &run, findings)
        }
        clearUp(findings)
    }

    /// Promotes the candidate, in shadow mode or at once, if the student that it was compared with still serves.
    private func promote(
        _ entry: RegistryEntry, _ run: inout RedistillationRun, _ findings: RunFindings
    ) throws(UnderstudyError) {
        let serving: String
        if let version = findings.materials.servingVersion {
            serving = version
        } else {
            // The configured student is added to the registry, so that a rollback can return to it.
            serving = try registry.adopt(directory: findings.materials.servingDirectory, now: now()).version
            try registry.promote(serving, by: .run(run.number), now: now(), expecting: .configured)
        }
        if request.redistill.shadow > 0 {
            try registry.setShadow(entry.version, expecting: .version(serving))
            run.outcome = .shadowing
        } else {
            try registry.promote(entry.version, by: .run(run.number), now: now(), expecting: .version(serving))
            run.outcome = .promoted
        }
    }

    private func publish(
        _ run: RedistillationRun, _ findings: RunFindings
    ) throws(UnderstudyError) -> RegistryEntry {
        guard let candidate = findings.candidate else {
            throw UnderstudyError(.internalFailure, "there is no candidate to publish")
        }
        let materials = findings.materials
        var lineage = StudentLineage(version: try registry.reserveVersion(), createdAt: now())
        lineage.run = run.number
        lineage.parent = materials.serving.version
        lineage.parentFingerprint = materials.servingFingerprint
        lineage.teacher = materials.teacher.version
        lineage.teacherFingerprint = materials.teacherFingerprint
        lineage.firstRowTime = findings.harvest.window?.first
        lineage.lastRowTime = findings.harvest.window?.last
        lineage.logRows = findings.harvest.counts.learnt
        lineage.humanLabels = findings.harvest.counts.humanLabels
        lineage.replayRows = findings.replay.count
        lineage.trainFingerprint = materials.trainFingerprint
        lineage.holdoutFingerprint = materials.holdoutFingerprint
        lineage.seed = Int(truncatingIfNeeded: findings.seed)
        lineage.holdoutAccuracy = candidate.metrics.calibration.studentAccuracy
        lineage.reference = findings.candidateReference
        var configuration = candidate.configuration
        configuration.version = lineage.version
        configuration.seed = findings.seed
        configuration.dataFingerprint = Fingerprint.of(
            bytes: Array(findings.harvest.learnt.lines.bytes + findings.replay.lines.bytes))
        let card = CandidateCard.make(configuration, lineage, candidate.metrics, findings)
        let tokenizer = materials.tokenizer
        return try registry.add(lineage) { [configuration] (directory) throws(UnderstudyError) in
            try StudentFiles.write(configuration, candidate.weights, tokenizer: tokenizer, to: directory)
            try ModelDirectory.write(candidate.metrics.json, to: ModelDirectory.metrics, in: directory)
            try ModelDirectory.write(card.markdown, to: ModelDirectory.card, in: directory)
        }
    }

    /// Removes old versions, old reports and logits of former teachers. Failures are left to the next run.
    private func clearUp(_ findings: RunFindings) {
        _ = try? registry.removeOld(keeping: request.redistill.keepVersions)
        let present = (try? findings.materials.panel(request))?.paths ?? []
        for name in (try? FileManager.default.contentsOfDirectory(atPath: request.teacherLogits)) ?? [] {
            let path = request.teacherLogits + "/" + name
            if !present.contains(path) { try? FileManager.default.removeItem(atPath: path) }
        }
    }

    /// Number of reports kept.
    private static let reportsKept = 100

    /// Returns the report's path; nil if it can't be written, which doesn't fail the run.
    func writeReport(_ run: RedistillationRun, _ findings: RunFindings) -> String? {
        let path = "\(request.reports)/run-\(run.number).html"
        do throws(UnderstudyError) {
            try RunFolder.make(request.reports)
            let file = try DurableFile(replacing: path)
            try file.write(Array(RedistillReport(run, findings).page.utf8))
            try file.commit()
            RunFolder.keepNewest(Self.reportsKept, in: request.reports, prefix: "run-", suffix: ".html")
            return path
        } catch {
            report(error)
            return nil
        }
    }
}

/// The model card of a re-distilled student.
enum CandidateCard {
    static func make(
        _ configuration: StudentConfiguration, _ lineage: StudentLineage, _ metrics: StudentMetrics,
        _ findings: RunFindings
    ) -> ModelCard {
        var card = ModelCard(
            title: lineage.version,
            summary: "A biLSTM text classifier, re-distilled from the log of a running cascade.", license: nil)
        card.labels = configuration.labels
        card.tags = ["text-classification", "bilstm", "distillation"]
        let counts = findings.harvest.counts
        card.data = [
            .init(
                "disagreement log",
                "\(NumberText.grouped(counts.learnt)) training lines, \(NumberText.grouped(counts.humanLabels)) "
                    + "labelled by people; \(NumberText.grouped(counts.heldOut)) held out"),
            .init("replay of the base transfer set", "\(NumberText.grouped(findings.replay.count)) lines"),
            .init(
                "holdout",
                "\(NumberText.grouped(findings.materials.holdout.count)) labelled lines, never used for training"),
        ]
        card.recipe = [
            .init("parent", lineage.parent ?? "none"),
            .init("teacher", lineage.teacher ?? "none"),
            .init("run", lineage.run.map(String.init) ?? "none"),
            .init("epochs", "\(metrics.losses.count), best \(metrics.bestEpoch)"),
            .init("parameters", NumberText.grouped(metrics.parameters)),
        ]
        card.seed = findings.seed
        var table = metrics.table
        table.title = "On the holdout"
        card.results = [
            table,
            ModelCard.Table(
                title: "The gate", columns: ["criterion", "measured", "required"],
                rows: findings.decision.criteria.map { [$0.title, $0.measured, $0.threshold] }),
        ]
        return card
    }
}
