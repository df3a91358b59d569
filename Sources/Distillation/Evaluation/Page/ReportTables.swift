import Diagnostics
import Pages

/// The page's tables: confusion matrix, scores per label, cost and accuracy.
package enum ReportTables {
    /// Rows are true labels; a cell's colour is its share of the row.
    package static func confusion(_ model: ModelEvaluation) -> HTML {
        let matrix = model.confusion
        var html: HTML = "<div class=\"scroll\"><table class=\"matrix \(model.role.rawValue)\">"
        html += "<thead><tr><th scope=\"col\" class=\"corner\">true ↓ predicted →</th>"
        for label in matrix.labels {
            html += "<th scope=\"col\" title=\"\(label)\">\(HTML.name(label))</th>"
        }
        html += "</tr></thead>\n<tbody>"
        for actual in matrix.labels.indices {
            let support = matrix.support(actual)
            html += "<tr><th scope=\"row\" title=\"\(matrix.labels[actual])\">"
            html += "\(HTML.name(matrix.labels[actual]))</th>"
            for predicted in matrix.labels.indices {
                let count = matrix[actual, predicted]
                let share = support == 0 ? 0 : Double(count) / Double(support)
                let kind = actual == predicted ? "right" : "wrong"
                // Off the diagonal shares are small; the square root makes their differences visible.
                let heat = actual == predicted ? share : share.squareRoot()
                html += "<td class=\"\(kind)\(heat > 0.6 ? " strong" : "")\""
                html += " style=\"--heat:\(NumberText.fixed(heat * 100, digits: 0))%\""
                html += " title=\"\(HTML.percent(share)) of \(matrix.labels[actual])\">"
                html += "\(NumberText.grouped(count))</td>"
            }
            html += "</tr>\n"
        }
        return html + "</tbody></table></div>\n"
    }

    static func scores(_ report: ClassificationReport) -> HTML {
        func row(_ name: HTML, _ scores: ClassificationReport.Scores, _ style: HTML = "") -> HTML {
            let cells = [scores.precision, scores.recall, scores.f1].map {
                "<td>\(NumberText.fixed($0 * 100, digits: 1))</td>" as HTML
            }
            return "<tr\(style)><th scope=\"row\">\(name)</th>\(HTML.joined(cells))"
                + "<td>\(NumberText.grouped(scores.support))</td></tr>\n"
        }
        var html: HTML = "<div class=\"scroll\"><table class=\"plain\"><thead><tr><th></th>"
        for title in ["precision", "recall", "F1", "support"] { html += "<th scope=\"col\">\(title)</th>" }
        html += "</tr></thead>\n<tbody>"
        for (label, scores) in zip(report.labels, report.perLabel) { html += row(HTML.name(label), scores) }
        html += row("macro average", report.macroAverage, " class=\"sum\"")
        html += row("weighted average", report.weightedAverage)
        return html + "</tbody></table></div>\n"
    }

    static func costs(_ cascade: CascadeEvaluation) -> HTML {
        func row(_ name: HTML, _ point: CostAccuracyCurve.Point, _ style: HTML = "") -> HTML {
            "<tr\(style)><th scope=\"row\">\(name)</th><td>\(NumberText.grouped(point.deferred))</td>"
                + "<td>\(HTML.percent(point.accuracy, digits: 2))</td></tr>\n"
        }
        var html: HTML = "<div class=\"scroll\"><table class=\"plain\"><thead><tr><th scope=\"col\">deferred</th>"
        html += "<th scope=\"col\">lines</th><th scope=\"col\">accuracy</th></tr></thead>\n<tbody>"
        for point in cascade.curve.table { html += row("\(HTML.percent(point.share, digits: 0))", point) }
        if let own = cascade.ownPoint, let threshold = cascade.ownThreshold {
            let shown = NumberText.fixed(Double(threshold), digits: 3)
            html += row(
                "\(HTML.percent(own.share)) <small>below \(shown), the student’s threshold</small>", own,
                " class=\"sum\"")
        }
        return html + "</tbody></table></div>\n"
    }

    static func measures(_ models: [ModelEvaluation]) -> HTML {
        func row(_ name: String, _ value: (ModelEvaluation) -> String) -> HTML {
            let cells = models.map { "<td>\(value($0))</td>" as HTML }
            return "<tr><th scope=\"row\">\(name)</th>\(HTML.joined(cells))</tr>\n"
        }
        func latency(_ model: ModelEvaluation, _ share: Double) -> String {
            guard let latency = model.scored.latency(percentile: share) else { return "–" }
            return NumberText.fixed(latency / .milliseconds(1), digits: 3) + " ms"
        }
        var html: HTML = "<div class=\"scroll\"><table class=\"plain\"><thead><tr><th></th>"
        for model in models { html += "<th scope=\"col\">\(model.role.rawValue)</th>" }
        html += "</tr></thead>\n<tbody>"
        html += row("calibration error, temperature 1") {
            HTML.percent($0.calibrationErrorBefore.value, digits: 2)
        }
        html += row("calibration error, own temperature") {
            HTML.percent($0.calibrationErrorAfter.value, digits: 2)
        }
        html += row("own temperature") { NumberText.fixed(Double($0.temperature), digits: 3) }
        html += row("log-likelihood loss, temperature 1") { NumberText.fixed($0.lossBefore, digits: 4) }
        html += row("log-likelihood loss, own temperature") { NumberText.fixed($0.lossAfter, digits: 4) }
        html += row("Brier score, own temperature") { NumberText.fixed($0.brierAfter, digits: 4) }
        html += row("AURC") { NumberText.fixed($0.selectiveRisk.areaUnderRiskCoverage, digits: 4) }
        html += row("AUGRC") { NumberText.fixed($0.selectiveRisk.areaUnderGeneralisedRisk, digits: 4) }
        html += row("lines a second") { NumberText.rate($0.scored.linesPerSecond) }
        html += row("threads") { String($0.scored.threads) }
        html += row("one line, median") { latency($0, 0.5) }
        html += row("one line, 99th percentile") { latency($0, 0.99) }
        return html + "</tbody></table></div>\n"
    }
}
