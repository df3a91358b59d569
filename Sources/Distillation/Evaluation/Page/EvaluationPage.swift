import Diagnostics
import Pages

extension EvaluationSummary {
    /// The report as one self-contained HTML page: no scripts, no fonts, no external files.
    public func page() -> String {
        PageFrame.report(
            title: "Evaluation on \(dataName)",
            main: .joined([header(), tiles(), costs(), confidence(), mistakes(), numbers(), footer()]))
    }

    private func header() -> HTML {
        let names = models.map { "\($0.role.rawValue) \(HTML.name($0.version))" as HTML }
        var html: HTML = "<header>\n<h1>\(models.count == 2 ? "Student, teacher and cascade" : "Evaluation")</h1>\n"
        html +=
            "<p class=\"lead\">\(HTML.joined(names, separator: " and ")), on \(NumberText.grouped(lineCount)) labelled "
        html += "lines of \(HTML.name(dataName))"
        if skippedCount > 0 { html += "; \(NumberText.grouped(skippedCount)) without a label were skipped" }
        return html + ".</p>\n</header>\n"
    }

    private func tiles() -> HTML {
        let tile = PageFrame.reportTile
        var html: HTML = "<div class=\"tiles\">\n"
        for model in models {
            let name = model.role == .student ? "Student accuracy" : "Teacher accuracy"
            html += tile(
                model.role.rawValue, name, HTML.percent(model.report.accuracy),
                "macro F1 \(HTML.percent(model.report.macroAverage.f1))")
        }
        if let cascade {
            let point = cascade.curve.point(share: 0.1)
            html += tile(
                "cascade", "Cascade at 10 %", HTML.percent(point.accuracy),
                "the least confident tenth is deferred")
            html += tile("", "Agreement", HTML.percent(cascade.agreement), "lines with the same label from both")
        }
        if let model = models.first {
            html += tile(
                model.role.rawValue, "Calibration error", HTML.percent(model.calibrationErrorAfter.value),
                "\(HTML.percent(model.calibrationErrorBefore.value)) at temperature 1")
        }
        if let model = models.first {
            let other = models.count == 2 ? "; teacher \(NumberText.rate(models[1].scored.linesPerSecond))" : ""
            html += tile(
                model.role.rawValue, "Lines a second", NumberText.rate(model.scored.linesPerSecond),
                "\(model.role.rawValue), \(model.scored.threads) "
                    + "\(model.scored.threads == 1 ? "thread" : "threads")\(other)")
        }
        return html + "</div>\n"
    }

    private func costs() -> HTML {
        guard let cascade else { return "" }
        let own: HTML =
            cascade.ownPoint == nil ? "" : "<span><i class=\"dots\"></i>the student’s own threshold</span>"
        let gap = cascade.gap
        return """
            <section>
            <h2>Accuracy and deferral</h2>
            <p class="say">The least confident lines are deferred first. The teacher alone is \
            \(NumberText.fixed(gap.difference * 100, digits: 2)) points better than the student alone \
            (\(HTML.percent(gap.confidence, digits: 0)) interval \(NumberText.fixed(gap.lower * 100, digits: 2)) to \
            \(NumberText.fixed(gap.upper * 100, digits: 2))); only the student is right on \
            \(NumberText.grouped(cascade.onlyStudentRight)) lines, only the teacher on \
            \(NumberText.grouped(cascade.onlyTeacherRight)).</p>
            <div class="grid wide">
            <div class="card">\(CostAccuracyChart.svg(cascade))<div class="legend">\
            <span class="cascade"><i></i>cascade</span><span class="student"><i class="dash"></i>student alone</span>\
            <span class="teacher"><i class="dash"></i>teacher alone</span>\(own)</div></div>
            <div class="card">\(ReportTables.costs(cascade))</div>
            </div>
            </section>

            """
    }

    private func confidence() -> HTML {
        var cards: HTML = ""
        func reliability(_ model: ModelEvaluation, _ error: ExpectedCalibrationError, _ temperature: Float) {
            cards += "<div class=\"card\"><h3>\(model.role == .student ? "Student" : "Teacher"), "
            cards += "T = \(NumberText.fixed(Double(temperature), digits: temperature == 1 ? 0 : 2))"
            cards += "<span>ECE \(HTML.percent(error.value, digits: 2))</span></h3>\n"
            cards += ReliabilityDiagram.svg(error, role: model.role)
            cards += "<div class=\"legend \(model.role.rawValue)\"><span><i></i>accuracy</span>"
            cards += "<span><i class=\"box\"></i>gap to confidence</span></div></div>\n"
        }
        for model in models {
            reliability(model, model.calibrationErrorBefore, 1)
            if model.temperature != 1 { reliability(model, model.calibrationErrorAfter, model.temperature) }
        }
        if models.count == 2 { cards += "</div>\n<div class=\"grid\">\n" }
        for model in models {
            let threshold = model.role == .student ? cascade?.ownThreshold : nil
            cards += "<div class=\"card\"><h3>\(model.role == .student ? "Student" : "Teacher"), lines by confidence"
            cards +=
                "<span>AURC \(NumberText.fixed(model.selectiveRisk.areaUnderRiskCoverage, digits: 4))</span></h3>\n"
            cards += ConfidenceHistogram.svg(model, threshold: threshold)
            cards += "<div class=\"legend \(model.role.rawValue)\"><span><i></i>right</span>"
            cards += "<span class=\"wrong\"><i></i>wrong</span>"
            if threshold != nil { cards += "<span><i class=\"dots\"></i>deferred to the left</span>" }
            cards += "</div></div>\n"
        }
        return """
            <section>
            <h2>Calibration</h2>
            <p class="say">Of the lines answered with 80&nbsp;% confidence, 80&nbsp;% should be right; T is the temperature. Faint bars hold few lines.</p>
            <div class="grid">
            \(cards)</div>
            </section>

            """
    }

    private func mistakes() -> HTML {
        let cards = models.map { model -> HTML in
            "<div class=\"card\"><h3>\(model.role == .student ? "Student" : "Teacher")<span>"
                + "\(NumberText.grouped(model.confusion.total - model.confusion.correct)) mistakes</span></h3>\n"
                + ReportTables.confusion(model) + "</div>\n"
        }
        return """
            <section>
            <h2>Confusion matrices</h2>
            <p class="say">A row holds the lines of one true label, a column those of one predicted label.</p>
            <div class="grid\(labels.count > 7 ? " full" : "")">
            \(HTML.joined(cards))</div>
            </section>

            """
    }

    private func numbers() -> HTML {
        let cards = models.map { model -> HTML in
            "<div class=\"card\"><h3>\(model.role == .student ? "Student" : "Teacher"), by label<span>"
                + "accuracy \(HTML.percent(model.report.accuracy, digits: 2))</span></h3>\n"
                + ReportTables.scores(model.report) + "</div>\n"
        }
        return """
            <section>
            <h2>All figures</h2>
            <p class="say">Precision, recall and F1 in per cent, as in scikit-learn’s classification report.</p>
            <div class="grid start">
            \(HTML.joined(cards))<div class="card"><h3>Confidence and speed</h3>
            \(ReportTables.measures(models))</div>
            </div>
            </section>

            """
    }

    private func footer() -> HTML {
        """
        <footer>
        <p>Calibration error: expected calibration error over 15 bins of equal width (Guo et al. 2017). AURC: area under \
        the risk–coverage curve (Geifman &amp; El-Yaniv 2017). AUGRC: the same for the generalised risk \
        (Traub et al. 2024). Lower is better for each.</p>
        <p>Speed: the whole data set in length-sorted batches, and single lines one after the other, on the machine that \
        made this page.</p>
        </footer>

        """
    }
}
