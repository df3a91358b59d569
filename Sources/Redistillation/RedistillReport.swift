import Diagnostics
import Distillation
import Models
import Pages
import Store

/// The HTML report of a run: the training lines, the gate's verdict, and a comparison of the two students.
struct RedistillReport {
    let run: RedistillationRun
    let findings: RunFindings
    /// Evaluations on the holdout; nil if the run ended without a candidate.
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
        PageFrame.report(
            title: "Run \(String(run.number)): \(run.outcome.rawValue)",
            main: .joined([
                header(), tiles(), gate(), costs(), confidence(), mistakes(), learning(), disagreements(), origins(),
                footer(),
            ]))
    }

    // MARK: The upper part

    private func header() -> HTML {
        let title: HTML =
            switch run.outcome {
            case .promoted: "\(HTML.name(run.content.candidate ?? "")) serves from now on"
            case .shadowing: "\(HTML.name(run.content.candidate ?? "")) runs in shadow mode"
            case .passed: "\(HTML.name(run.content.candidate ?? "")) passed; a dry run"
            case .refused: "Refused: the serving student is kept"
            case .running, .failed, .interrupted: "The run ended early"
            }
        return """
            <header>
            <h1>\(title)</h1>
            <p class="lead">Run \(String(run.number)), \(TimeText.minute(run.started)) UTC: \
            \(run.content.reason).</p>
            </header>

            """
    }

    private func tiles() -> HTML {
        let counts = findings.harvest.counts
        var html: HTML = "<div class=\"tiles\">\n"
        if let serving, let candidate {
            html += PageFrame.reportTile(
                "student", "Accuracy", HTML.percent(candidate.report.accuracy),
                "\(HTML.percent(serving.report.accuracy)) before, on \(NumberText.grouped(candidate.scored.count)) "
                    + "lines of the holdout")
        }
        let teacher = findings.evidence.heldOutTeacher
        if let before = findings.evidence.serving?.heldOut, let after = findings.evidence.candidate?.heldOut,
            !teacher.isEmpty
        {
            func agreement(_ labels: [Int32]) -> Double {
                Double(zip(labels, teacher).count { $0 == $1 }) / Double(teacher.count)
            }
            html += PageFrame.reportTile(
                "teacher", "Agrees with the teacher", HTML.percent(agreement(after)),
                "\(HTML.percent(agreement(before))) before, on \(NumberText.grouped(teacher.count)) unsure lines")
        }
        if let before = servingCascade?.ownPoint, let after = candidateCascade?.ownPoint {
            html += PageFrame.reportTile(
                "cascade", "Deferred", HTML.percent(after.share),
                "\(HTML.percent(before.share)) before, each at its own threshold")
        }
        html += PageFrame.reportTile(
            "", "Training lines from the log", NumberText.grouped(counts.learnt),
            "of \(NumberText.grouped(counts.read)) rows; \(NumberText.grouped(counts.humanLabels)) labelled by people")
        html += PageFrame.reportTile(
            "", "Time", "\(NumberText.fixed(run.content.seconds, digits: 0)) s",
            "\(run.content.peakBytes >> 20) MiB of memory at most")
        return html + "</div>\n"
    }

    private func gate() -> HTML {
        let rows = run.content.criteria.map { criterion -> HTML in
            let mark =
                switch criterion.result {
                case .passed: "✓ met"
                case .failed: "✗ failed"
                case .unmeasured: "–"
                }
            let note: HTML = criterion.note.isEmpty ? "" : "<small>\(criterion.note)</small>"
            return "<tr><td class=\"\(criterion.result.rawValue)\"><b>\(mark)</b></td>"
                + "<td>\(criterion.title)\(note)</td><td>\(unbroken(criterion.measured))</td>"
                + "<td>\(unbroken(criterion.threshold))</td></tr>\n"
        }
        func unbroken(_ text: String) -> String { text.replacing(" %", with: "\u{a0}%") }
        return """
            <section>
            <h2>The gate</h2>
            <p class="say">A candidate is promoted if no criterion fails.</p>
            <div class="card"><div class="scroll"><table class="plain gate"><thead><tr><th scope="col">verdict</th>\
            <th scope="col">criterion</th><th scope="col">measured</th><th scope="col">required</th></tr></thead>
            <tbody>\(HTML.joined(rows))</tbody></table></div></div>
            </section>

            """
    }

    private func footer() -> HTML {
        """
        <footer>
        <p>This page loads nothing from the network. The holdout is never used for training. The log's held-out lines \
        are selected by a hash of their text and are the same in every run.</p>
        </footer>

        """
    }
}

/// The comparison of serving student and candidate on the holdout.
extension RedistillReport {
    func costs() -> HTML {
        guard let after = candidateCascade, let before = servingCascade else { return "" }
        return """
            <section>
            <h2>Accuracy and deferral, before and after</h2>
            <p class="say">The least confident lines are deferred first. The higher the curve on the left, the better \
            the student alone.</p>
            <div class="card">\(CostAccuracyChart.svg(after, before: before))<div class="legend">\
            <span class="cascade"><i></i>with the candidate</span><span class="before"><i></i>with the serving \
            student</span><span class="teacher"><i class="dash"></i>teacher alone</span><span><i class="dots"></i>the \
            candidate’s threshold</span></div></div>
            </section>

            """
    }

    func confidence() -> HTML {
        guard let serving, let candidate else { return "" }
        func card(_ title: String, _ model: ModelEvaluation) -> HTML {
            let error = model.calibrationErrorAfter
            return "<div class=\"card\"><h3>\(title), T = \(NumberText.fixed(Double(model.temperature), digits: 2))"
                + "<span>ECE \(HTML.percent(error.value, digits: 2))</span></h3>\n"
                + ReliabilityDiagram.svg(error, role: .student)
                + "<div class=\"legend student\"><span><i></i>accuracy</span>"
                + "<span><i class=\"box\"></i>gap to confidence</span></div></div>\n"
        }
        return """
            <section>
            <h2>Calibration</h2>
            <p class="say">Of the lines answered with 80&nbsp;% confidence, 80&nbsp;% should be right. Faint bars hold few \
            lines.</p>
            <div class="grid">
            \(card("Before", serving))\(card("After", candidate))</div>
            </section>

            """
    }

    func mistakes() -> HTML {
        guard let serving, let candidate else { return "" }
        func card(_ title: String, _ model: ModelEvaluation) -> HTML {
            "<div class=\"card\"><h3>\(title)<span>"
                + "\(NumberText.grouped(model.confusion.total - model.confusion.correct)) mistakes</span></h3>\n"
                + ReportTables.confusion(model) + "</div>\n"
        }
        return """
            <section>
            <h2>Confusion matrices</h2>
            <p class="say">A row holds the holdout’s lines of one true label, a column those of one predicted label.</p>
            <div class="grid\(findings.materials.labels.count > 7 ? " full" : "")">
            \(card("Before", serving))\(card("After", candidate))</div>
            </section>

            """
    }

    func learning() -> HTML {
        guard let metrics = findings.candidate?.metrics else { return "" }
        let cut = metrics.wasInterrupted ? " The time limit was reached before the last epoch." : ""
        return """
            <section>
            <h2>Training</h2>
            <p class="say">The filled mark is the selected epoch: the best on the validation lines. Their labels are \
            people’s if there are any, else the teacher’s.\(cut)</p>
            <div class="grid">
            <div class="card"><h3>Loss on the training lines</h3>\
            \(LearningCurve.svg(
                metrics.losses, best: metrics.bestEpoch, title: "loss", style: "wrong", isShare: false))</div>
            <div class="card"><h3>Accuracy on the validation lines</h3>\
            \(LearningCurve.svg(
                metrics.validationAccuracies, best: metrics.bestEpoch, title: "accuracy", style: "student",
                isShare: true))</div>
            </div>
            </section>

            """
    }
}

/// The harvest, and the remaining disagreements of student and teacher.
extension RedistillReport {
    private static let pairs = 8
    private static let examples = 3
    /// Maximum length of an example in characters; longer lines are shortened.
    private static let longestExample = 90

    private struct Pair: Hashable {
        var student: Int32
        var teacher: Int32
    }

    func disagreements() -> HTML {
        guard let said = findings.evidence.candidate?.heldOut else { return "" }
        let teacher = findings.evidence.heldOutTeacher
        var lines: [Pair: [Int]] = [:]
        for (line, (student, teacher)) in zip(said, teacher).enumerated() where student != teacher && teacher >= 0 {
            lines[Pair(student: student, teacher: teacher), default: []].append(line)
        }
        let sorted = lines.sorted {
            ($1.value.count, $0.key.student, $0.key.teacher) < ($0.value.count, $1.key.student, $1.key.teacher)
        }
        let cards = sorted.prefix(Self.pairs).map { pair, lines -> HTML in
            let items = lines.prefix(Self.examples).map { line -> HTML in
                "<li>\(HTML.name(PrintableText.cut(text(line), columns: Self.longestExample)))</li>"
            }
            return "<div class=\"card\"><h3><b>\(label(pair.student)) → \(label(pair.teacher))</b>"
                + "<span>\(lines.count) lines</span></h3><ul class=\"lines\">\(HTML.joined(items))</ul></div>\n"
        }
        guard !cards.isEmpty else { return "" }
        return """
            <section>
            <h2>Where student and teacher still disagree</h2>
            <p class="say">On the log’s held-out lines: candidate's label → teacher's label.</p>
            <div class="grid start">
            \(HTML.joined(cards))</div>
            </section>

            """
    }

    /// Returns the start of a held-out line. It bounds the size of the page.
    private func text(_ line: Int) -> String {
        String(findings.harvest.heldOut.text(line).unicodeScalars.prefix(4 * Self.longestExample).map(Character.init))
    }

    private func label(_ index: Int32) -> HTML {
        let labels = findings.materials.labels
        return labels.indices.contains(Int(index)) ? HTML.name(labels[Int(index)]) : "?"
    }

    func origins() -> HTML {
        let counts = findings.harvest.counts
        let materials = findings.materials
        func number(_ value: Int) -> HTML { "\(NumberText.grouped(value))" }
        var log: [(String, HTML)] = [
            ("rows read", number(counts.read)), ("used for training", number(counts.learnt)),
            ("held out", number(counts.heldOut)), ("labelled by people", number(counts.humanLabels)),
            ("same text as a newer row", number(counts.duplicates)),
            ("nearly the same", number(counts.nearDuplicates)),
            ("in the holdout, left out", number(counts.inHoldout)),
            ("answered by another teacher", number(counts.otherTeacher)),
            ("with other labels", number(counts.otherLabels)),
            ("unusable or damaged", number(counts.unusable + counts.damaged)),
            ("replayed from the base set", number(findings.replay.count)),
        ]
        if let window = findings.harvest.window {
            log.append(("answered", "\(TimeText.minute(window.first)) to \(TimeText.minute(window.last)) UTC"))
        }
        let lineage: [(String, HTML)] = [
            ("candidate", HTML.name(run.content.candidate ?? "not published")),
            ("parent", HTML.name(materials.serving.version)),
            ("its fingerprint", "\(materials.servingFingerprint)"), ("teacher", HTML.name(materials.teacher.version)),
            ("its fingerprint", "\(materials.teacherFingerprint)"),
            ("base transfer set", "\(materials.trainFingerprint)"),
            ("holdout", "\(materials.holdoutFingerprint)"), ("seed", "\(String(findings.seed))"),
        ]
        func list(_ facts: [(String, HTML)]) -> HTML {
            "<dl class=\"facts\">\(HTML.joined(facts.map { "<dt>\($0)</dt><dd>\($1)</dd>" as HTML }))</dl>"
        }
        return """
            <section>
            <h2>Data and lineage</h2>
            <div class="grid start">
            <div class="card"><h3>The log</h3>\(list(log))</div>
            <div class="card"><h3>Lineage</h3>\(list(lineage))</div>
            </div>
            </section>

            """
    }
}
