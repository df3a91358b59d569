import Diagnostics
import Distillation
import Models
import Store

/// The model card of a student that a run has made.
enum CandidateCard {
    static func make(
        _ configuration: StudentConfiguration, _ lineage: StudentLineage, _ metrics: StudentMetrics,
        _ findings: RunFindings
    ) -> ModelCard {
        var card = ModelCard(
            title: lineage.version,
            summary: "A biLSTM text classifier, distilled anew from the log of a running cascade.", license: nil)
        card.labels = configuration.labels
        card.tags = ["text-classification", "bilstm", "distillation"]
        let counts = findings.harvest.counts
        card.data = [
            .init(
                "disagreement log",
                "\(NumberText.grouped(counts.learnt)) lines to learn from, \(NumberText.grouped(counts.humanLabels)) "
                    + "labelled by people; \(NumberText.grouped(counts.heldOut)) held out"),
            .init("replay of the base transfer set", "\(NumberText.grouped(findings.replay.count)) lines"),
            .init(
                "holdout", "\(NumberText.grouped(findings.materials.holdout.count)) labelled lines, never learnt from"),
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
                title: "The gate", columns: ["criterion", "measured", "wanted"],
                rows: findings.decision.criteria.map { [$0.title, $0.measured, $0.threshold] }),
        ]
        return card
    }
}
