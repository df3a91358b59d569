import Diagnostics
import Distillation
import Models
import Store

/// The page that a run leaves behind: what was learnt, what the gate said, and how the two students compare.
struct RedistillReport {
    let run: RedistillationRun
    let findings: RunFindings
    /// Both on the holdout; nil where the run ended before there was a candidate.
    let serving: ModelEvaluation?
    let candidate: ModelEvaluation?
    let servingCascade: CascadeEvaluation?
    let candidateCascade: CascadeEvaluation?

    init(_ run: RedistillationRun, _ findings: RunFindings) {
        self.run = run
        self.findings = findings
        let materials = findings.materials
        let labels = materials.labels
        let truth = materials.holdout.labelIndices
        func evaluation(_ role: ModelEvaluation.Role, _ version: String, _ logits: [Float], _ temperature: Float)
            -> ModelEvaluation?
        {
            guard logits.count == truth.count * labels.count, logits.allSatisfy(\.isFinite) else { return nil }
            return ModelEvaluation(
                role: role, version: version, labels: labels,
                scored: ScoredLines(
                    logits: logits, labelCount: labels.count, threads: 1, duration: .zero, latencies: []),
                truth: truth, temperature: temperature)
        }
        let evidence = findings.evidence
        let after = evidence.candidate.flatMap {
            evaluation(.student, run.content.candidate ?? "candidate", $0.logits, $0.temperature)
        }
        let before = evidence.serving.flatMap { evaluation(.student, $0.version, $0.logits, $0.temperature) }
        let teacher = evaluation(.teacher, materials.teacher.version, findings.teacherLogits, 1)
        candidate = after
        serving = before
        func cascade(_ student: ModelEvaluation?, _ threshold: Float?) -> CascadeEvaluation? {
            guard let student, let teacher else { return nil }
            return CascadeEvaluation(student: student, teacher: teacher, ownThreshold: threshold)
        }
        candidateCascade = cascade(after, findings.candidate?.configuration.calibration?.deferralThreshold)
        servingCascade = cascade(before, materials.serving.deferralThreshold)
    }

    var page: String {
        ReportPage.html(
            title: "Run \(run.number): \(run.outcome.rawValue)",
            main: header() + tiles() + gate() + costs() + confidence() + mistakes() + learning() + disagreements()
                + origins() + footer())
    }

    // MARK: The upper part

    private func header() -> String {
        let title =
            switch run.outcome {
            case .promoted: "\(HTMLText.name(run.content.candidate ?? "")) serves from now on"
            case .shadowing: "\(HTMLText.name(run.content.candidate ?? "")) answers as a shadow"
            case .passed: "\(HTMLText.name(run.content.candidate ?? "")) passed; a dry run"
            case .refused: "Refused: the serving student stays"
            case .running, .failed, .interrupted: "The run ended early"
            }
        return """
            <header>
            <h1>\(title)</h1>
            <p class="lead">Run \(run.number), \(TimeText.minute(run.started)) UTC: \
            \(HTMLText.escaped(run.content.reason)).</p>
            </header>

            """
    }

    private func tiles() -> String {
        let counts = findings.harvest.counts
        var html = "<div class=\"tiles\">\n"
        if let serving, let candidate {
            html += ReportPage.tile(
                "student", "Accuracy", HTMLText.percent(candidate.report.accuracy),
                "\(HTMLText.percent(serving.report.accuracy)) before, on \(NumberText.grouped(candidate.scored.count)) "
                    + "lines of the holdout")
        }
        let teacher = findings.evidence.heldOutTeacher
        if let before = findings.evidence.serving?.heldOut, let after = findings.evidence.candidate?.heldOut,
            !teacher.isEmpty
        {
            func agreement(_ labels: [Int32]) -> Double {
                Double(zip(labels, teacher).count { $0 == $1 }) / Double(teacher.count)
            }
            html += ReportPage.tile(
                "teacher", "Agrees with the teacher", HTMLText.percent(agreement(after)),
                "\(HTMLText.percent(agreement(before))) before, on \(NumberText.grouped(teacher.count)) unsure lines")
        }
        if let before = servingCascade?.ownPoint, let after = candidateCascade?.ownPoint {
            html += ReportPage.tile(
                "cascade", "Deferred", HTMLText.percent(after.share),
                "\(HTMLText.percent(before.share)) before, each at its own threshold")
        }
        html += ReportPage.tile(
            "", "Learnt from the log", NumberText.grouped(counts.learnt),
            "of \(NumberText.grouped(counts.read)) rows; \(NumberText.grouped(counts.humanLabels)) labelled by people")
        html += ReportPage.tile(
            "", "Time", "\(NumberText.fixed(run.content.seconds, digits: 0)) s",
            "\(run.content.peakBytes >> 20) MiB of memory at most")
        return html + "</div>\n"
    }

    private func gate() -> String {
        let rows = run.content.criteria.map { criterion -> String in
            let mark =
                switch criterion.verdict {
                case .passed: "✓ met"
                case .failed: "✗ failed"
                case .unmeasured: "–"
                }
            let note = criterion.note.isEmpty ? "" : "<small>\(HTMLText.escaped(criterion.note))</small>"
            return "<tr><td class=\"\(criterion.verdict.rawValue)\"><b>\(mark)</b></td>"
                + "<td>\(HTMLText.escaped(criterion.title))\(note)</td><td>\(unbroken(criterion.measured))</td>"
                + "<td>\(unbroken(criterion.threshold))</td></tr>\n"
        }
        func unbroken(_ text: String) -> String { HTMLText.escaped(text).replacing(" %", with: "\u{a0}%") }
        return """
            <section>
            <h2>The gate</h2>
            <p class="say">A candidate is let in when no criterion fails.</p>
            <div class="card"><div class="scroll"><table class="plain gate"><thead><tr><th scope="col">verdict</th>\
            <th scope="col">criterion</th><th scope="col">measured</th><th scope="col">wanted</th></tr></thead>
            <tbody>\(rows.joined())</tbody></table></div></div>
            </section>

            """
    }

    private func footer() -> String {
        """
        <footer>
        <p>Nothing on this page comes from elsewhere. The holdout is never learnt from; the log's held-out lines are those \
        that the hash of their letters sets apart, in every run the same.</p>
        </footer>

        """
    }
}
