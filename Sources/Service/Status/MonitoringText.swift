import Diagnostics

/// Describes drift and promotions, for the page and the terminal.
enum MonitoringText {
    static func drift(_ drift: DriftReading) -> [String] {
        var sentences: [String] = []
        let reference =
            drift.referenceIsOwn
            ? "the first \(StatusFormat.count(DriftMonitor.ownReferenceLines)) lines that this student answered"
            : "the \(StatusFormat.count(drift.referenceLines)) lines of its evaluation"
        switch drift.verdict {
        case .unknown:
            sentences.append(tooEarly(drift))
        case .steady: sentences.append("Steady, compared with \(reference).")
        case .drifting: sentences.append("Drifting, compared with \(reference).")
        }
        if let labels = drift.labelIndex, let confidence = drift.confidenceIndex {
            sentences.append(
                "Stability index of labels \(index(labels, drift)), of confidence \(index(confidence, drift)); more than "
                    + "\(limit(drift)) is drift.")
        }
        if let unknown = drift.unknownTokenShare {
            let before = drift.referenceUnknownTokenShare.map {
                ", \(NumberText.percent($0, digits: 2)) in the reference"
            }
            sentences.append("Unknown tokens: \(NumberText.percent(unknown, digits: 2))\(before ?? "").")
        }
        return sentences
    }

    private static func tooEarly(_ drift: DriftReading) -> String {
        let lines = StatusFormat.count(drift.lines)
        if drift.referenceLines == 0, drift.referenceIsOwn {
            let first = StatusFormat.count(DriftMonitor.ownReferenceLines)
            return "Too few lines for a verdict: \(lines) of the first \(first) lines, which are the reference."
        }
        guard let wanted = drift.minimumLines else { return "Too few lines for a verdict: \(lines) lines so far." }
        return "Too few lines for a verdict: \(lines) lines in the last \(drift.windowHours) hours, of "
            + "\(StatusFormat.count(wanted)) needed."
    }

    /// Formats an index with enough digits to distinguish it from the limit.
    static func index(_ index: Double, _ drift: DriftReading) -> String {
        NumberText.fixed(index, digits: 3, apartFrom: drift.maximumIndex)
    }

    /// The configured limit.
    static func limit(_ drift: DriftReading) -> String { "\(drift.maximumIndex)" }

    /// Names and values.
    static func shadow(_ shadow: ShadowReading) -> [(name: String, value: String)] {
        func share(_ count: Int, _ all: Int) -> String {
            all > 0 ? "\(NumberText.percent(Double(count) / Double(all))) of \(StatusFormat.count(all))" : "none yet"
        }
        return [
            ("candidate", "\(shadow.version), on \(NumberText.percent(shadow.share)) of the lines"),
            ("agrees with the student", share(shadow.alike, shadow.lines)),
            ("agrees with the teacher", share(shadow.shadowRight, shadow.judged)),
            ("student agrees with the teacher", share(shadow.studentRight, shadow.judged)),
            (
                "judged",
                "after \(StatusFormat.count(shadow.wanted)) lines that the teacher answered too; "
                    + "\(StatusFormat.count(shadow.judged)) so far"
            ),
        ]
    }

    /// Names and values.
    static func promotion(_ promotion: PromotionReading, now: Double) -> [(name: String, value: String)] {
        func audits(_ audits: PromotionReading.Audits) -> String {
            guard audits.asked > 0 else { return "none yet" }
            let bucket = AgreementBucket(start: 0, seconds: 0, asked: audits.asked, agreed: audits.agreed)
            let low = NumberText.fixed(bucket.interval.lowerBound * 100, digits: 1)
            return "\(NumberText.percent(bucket.share ?? 0)) of \(StatusFormat.count(audits.asked)) "
                + "(\(low)–\(NumberText.percent(bucket.interval.upperBound)))"
        }
        let verdict =
            switch promotion.verdict {
            case .unknown: "not comparable"
            case .following: "monitored"
            case .kept: "kept"
            case .rolledBack: "rolled back and rejected"
            }
        return [
            ("student", "\(promotion.version), \(StatusFormat.span(now - promotion.promotedAt)) ago; \(verdict)"),
            ("agreement on its audits", audits(promotion.audits)),
            ("agreement on the audits of \(promotion.predecessor)", audits(promotion.predecessorAudits)),
            ("", promotion.sentence),
        ]
    }
}
