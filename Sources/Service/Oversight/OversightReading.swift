/// What the daemon knows about how well its student does: drift, and how the last promotion fares.
public struct OversightReading: Sendable, Equatable, Codable {
    public var drift = DriftReading()
    public var promotion: PromotionReading?
    public var shadow: ShadowReading?
    /// Since the start of the process, the newest last.
    public var shadowOutcomes: [ShadowOutcome] = []
    /// Since the start of the process, the newest last.
    public var rollbacks: [RollbackReading] = []
    /// Runs that were asked for because of drift, since the start of the process.
    public var runsAskedFor = 0

    public init() {}

    var families: [MetricFamily] {
        var labels = MetricFamily(
            .gauge, "understudy_drift_label_index",
            "Population stability index of the student's labels over the last day against its reference.")
        if let index = drift.labelIndex { labels.add(index) }
        var confidence = MetricFamily(
            .gauge, "understudy_drift_confidence_index",
            "Population stability index of the student's confidence over the last day against its reference.")
        if let index = drift.confidenceIndex { confidence.add(index) }
        var unknown = MetricFamily(
            .gauge, "understudy_unknown_token_ratio", "Share of tokens that the tokenizer doesn't know, by when.")
        if let share = drift.unknownTokenShare { unknown.add(share, ("window", "day")) }
        if let share = drift.referenceUnknownTokenShare { unknown.add(share, ("window", "reference")) }
        var audits = MetricFamily(
            .gauge, "understudy_promotion_audits", "Audited lines by which the last promotion is judged, by student.")
        var agreed = MetricFamily(
            .gauge, "understudy_promotion_audits_agreed", "Those of them on which the teacher agreed, by student.")
        var promoted = MetricFamily(
            .gauge, "understudy_promotion_timestamp_seconds", "When the student was promoted, since the Unix epoch.")
        if let promotion {
            let new = ("student", promotion.version)
            let old = ("student", promotion.predecessor)
            audits.add(promotion.audits.asked, new)
            agreed.add(promotion.audits.agreed, new)
            if promotion.predecessor != promotion.version {
                audits.add(promotion.predecessorAudits.asked, old)
                agreed.add(promotion.predecessorAudits.agreed, old)
            }
            promoted.add(promotion.promotedAt, new)
        }
        var rollbacks = MetricFamily(
            .counter, "understudy_rollbacks_total", "Promoted students that the daemon has taken back.")
        rollbacks.add(self.rollbacks.count)
        var runs = MetricFamily(
            .counter, "understudy_drift_requests_total", "Runs of re-distillation asked for because of drift.")
        runs.add(runsAskedFor)
        var outcomes = MetricFamily(
            .counter, "understudy_shadow_outcomes_total", "Candidates that were judged as shadows, by outcome.")
        outcomes.add(shadowOutcomes.count { $0.isPromoted }, ("outcome", "promoted"))
        outcomes.add(shadowOutcomes.count { !$0.isPromoted }, ("outcome", "barred"))
        return [labels, confidence, unknown, audits, agreed, promoted, rollbacks, runs, outcomes]
            .filter { !$0.samples.isEmpty } + (shadow?.families ?? [])
    }
}
