import Cascade
import Store

/// Measurements of the student's quality: drift, shadow mode, and the last promotion.
public struct MonitoringReading: Sendable, Equatable, Codable {
    public var drift = DriftReading()
    public var promotion: PromotionReading?
    public var shadow: ShadowReading?
    /// Since the start of the process, newest last.
    public var shadowOutcomes: [ShadowOutcome] = []
    /// Since the start of the process, newest last.
    public var rollbacks: [RollbackReading] = []
    /// Runs requested because of drift since the start of the process.
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
            .gauge, "understudy_unknown_token_ratio", "Share of unknown tokens, by window.")
        if let share = drift.unknownTokenShare { unknown.add(share, ("window", "day")) }
        if let share = drift.referenceUnknownTokenShare { unknown.add(share, ("window", "reference")) }
        var audits = MetricFamily(
            .gauge, "understudy_promotion_audits", "Audited lines by which the last promotion is judged, by student.")
        var agreed = MetricFamily(
            .gauge, "understudy_promotion_audits_agreed",
            "Audited lines of the last promotion on which the teacher agreed, by student.")
        var promoted = MetricFamily(
            .gauge, "understudy_promotion_timestamp_seconds",
            "When the student was promoted, in seconds since the Unix epoch.")
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
            .counter, "understudy_rollbacks_total", "Promoted students that the daemon has rolled back.")
        rollbacks.add(self.rollbacks.count)
        var runs = MetricFamily(
            .counter, "understudy_drift_requests_total", "Re-distillation runs requested because of drift.")
        runs.add(runsAskedFor)
        var outcomes = MetricFamily(
            .counter, "understudy_shadow_outcomes_total", "Candidates judged in shadow mode, by outcome.")
        outcomes.add(shadowOutcomes.count { $0.isPromoted }, ("outcome", "promoted"))
        outcomes.add(shadowOutcomes.count { !$0.isPromoted }, ("outcome", "barred"))
        return [labels, confidence, unknown, audits, agreed, promoted, rollbacks, runs, outcomes]
            .filter { !$0.samples.isEmpty } + (shadow?.families ?? [])
    }
}

/// The audits of the last promoted student.
public struct PromotionReading: Sendable, Equatable, Codable {
    public enum Verdict: String, Sendable, Codable {
        /// There is no basis for a comparison.
        case unknown
        case following
        /// Monitoring has ended and the student is kept.
        case kept
        case rolledBack = "rolled_back"
    }

    public struct Audits: Sendable, Equatable, Codable {
        public var asked: Int
        public var agreed: Int

        init(_ agreement: Agreement) {
            asked = agreement.asked
            agreed = agreement.agreed
        }
    }

    public var version: String
    public var predecessor: String
    /// Seconds since 1970.
    public var promotedAt: Double
    public var verdict = Verdict.unknown
    /// One sentence.
    public var sentence = ""
    public var audits: Audits
    public var predecessorAudits: Audits
}

/// A rollback by the daemon.
public struct RollbackReading: Sendable, Equatable, Codable {
    public var from: String
    public var to: String
    /// Seconds since 1970.
    public var time: Double
    public var reason: String
}

/// A comparison of the stream with the student's reference at one moment.
public struct DriftReading: Sendable, Equatable, Codable {
    public enum Verdict: String, Sendable, Codable {
        /// Too few lines were answered.
        case unknown
        case steady
        case drifting
    }

    public struct Share: Sendable, Equatable, Codable {
        public var label: String
        /// Share of the label among the student's answers, in the reference and now.
        public var reference: Double
        public var now: Double
    }

    public var verdict = Verdict.unknown
    /// Lines in the window, and in the reference.
    public var lines = 0
    public var referenceLines = 0
    /// Whether the reference is made of the first lines answered here, rather than supplied with the student.
    public var referenceIsOwn = false
    public var windowHours = 0
    /// Population stability indices; nil if too few lines were answered.
    public var labelIndex: Double?
    public var confidenceIndex: Double?
    public var maximumIndex = 0.25
    /// Minimum lines in the window for drift to be judged; nil from a daemon of an older release.
    public var minimumLines: Int?
    /// Share of tokens unknown to the tokenizer; nil if tokens aren't counted.
    public var unknownTokenShare: Double?
    public var referenceUnknownTokenShare: Double?
    public var labels: [Share] = []

    /// The larger of the two.
    public var index: Double? {
        guard let labelIndex, let confidenceIndex else { return nil }
        return max(labelIndex, confidenceIndex)
    }
}

/// A candidate's results in shadow mode.
public struct ShadowReading: Sendable, Equatable, Codable {
    public var version: String
    /// Share of all lines.
    public var share: Double
    /// Lines that it answered, and those of them with the student's label.
    public var lines: Int
    public var alike: Int
    public var broken: Int
    /// Lines that the teacher answered as well, and the required number.
    public var judged: Int
    public var wanted: Int
    public var shadowRight: Int
    public var studentRight: Int

    init(_ tally: ShadowTally, version: String, share: Double, wanted: Int) {
        self.version = version
        self.share = share
        self.wanted = wanted
        lines = tally.lines
        alike = tally.alike
        broken = tally.broken
        judged = tally.judged
        shadowRight = tally.bothRight + tally.onlyShadowRight
        studentRight = tally.bothRight + tally.onlyStudentRight
    }

    var families: [MetricFamily] {
        let name = ("student", version)
        var lines = MetricFamily(
            .counter, "understudy_shadow_lines_total", "Lines that the shadow answered, by whether the student agreed.")
        lines.add(alike, name, ("agreed", "true"))
        lines.add(self.lines - alike, name, ("agreed", "false"))
        var judged = MetricFamily(
            .counter, "understudy_shadow_judged_lines_total",
            "Lines that shadow, student and teacher answered.")
        judged.add(self.judged, name)
        var right = MetricFamily(
            .counter, "understudy_shadow_agreed_with_teacher_total",
            "Lines that shadow, student and teacher answered and that have the teacher's label, by model.")
        right.add(shadowRight, name, ("by", "shadow"))
        right.add(studentRight, name, ("by", "student"))
        return [lines, judged, right]
    }
}

/// How a candidate's shadow mode ended.
public struct ShadowOutcome: Sendable, Equatable, Codable {
    public var version: String
    public var isPromoted: Bool
    /// Seconds since 1970.
    public var time: Double
    public var reason: String
}
