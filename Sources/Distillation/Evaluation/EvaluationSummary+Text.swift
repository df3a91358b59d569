import Diagnostics

extension EvaluationSummary {
    /// The report for a terminal, with its last line end.
    public func text() -> String {
        var text = "\(PrintableText.escaped(dataName)): \(NumberText.grouped(lineCount)) labelled lines"
        if skippedCount > 0 { text += " (\(NumberText.grouped(skippedCount)) without a label skipped)" }
        text += "\n"
        for model in models {
            text += "\n\(model.role.rawValue) \(PrintableText.escaped(model.version))\n\n"
            text += model.report.text(digits: 4)
            text += "\n" + Self.matrix(model.confusion)
        }
        text += "\n" + measures()
        if let cascade { text += "\n" + Self.costs(cascade) }
        return text
    }

    private static func matrix(_ confusion: ConfusionMatrix) -> String {
        var rows = [["true \\ predicted"] + confusion.labels.map(PrintableText.escaped)]
        for actual in confusion.labels.indices {
            rows.append(
                [PrintableText.escaped(confusion.labels[actual])]
                    + confusion.labels.indices.map { String(confusion[actual, $0]) })
        }
        return PrintableText.table(rows)
    }

    private func measures() -> String {
        func row(_ name: String, _ value: (ModelEvaluation) -> String) -> [String] { [name] + models.map(value) }
        func milliseconds(_ model: ModelEvaluation, _ share: Double) -> String {
            guard let latency = model.scored.latency(percentile: share) else { return "–" }
            return NumberText.fixed(latency / .milliseconds(1), digits: 3) + " ms"
        }
        return PrintableText.table([
            row("") { $0.role.rawValue },
            row("accuracy") { NumberText.percent($0.report.accuracy, digits: 2) },
            row("temperature") { NumberText.fixed(Double($0.temperature), digits: 3) },
            row("ECE, temperature 1") { NumberText.percent($0.calibrationErrorBefore.value, digits: 2) },
            row("ECE, own temperature") { NumberText.percent($0.calibrationErrorAfter.value, digits: 2) },
            row("NLL, temperature 1") { NumberText.fixed($0.lossBefore, digits: 4) },
            row("NLL, own temperature") { NumberText.fixed($0.lossAfter, digits: 4) },
            row("Brier, temperature 1") { NumberText.fixed($0.brierBefore, digits: 4) },
            row("Brier, own temperature") { NumberText.fixed($0.brierAfter, digits: 4) },
            row("AURC") { NumberText.fixed($0.selectiveRisk.areaUnderRiskCoverage, digits: 4) },
            row("AUGRC") { NumberText.fixed($0.selectiveRisk.areaUnderGeneralisedRisk, digits: 4) },
            row("lines/s") { NumberText.rate($0.scored.linesPerSecond) },
            row("threads") { String($0.scored.threads) },
            row("p50 per line") { milliseconds($0, 0.5) },
            row("p99 per line") { milliseconds($0, 0.99) },
        ])
    }

    private static func costs(_ cascade: CascadeEvaluation) -> String {
        func row(_ name: String, _ point: CostAccuracyCurve.Point) -> [String] {
            [
                name, NumberText.grouped(point.deferred), NumberText.fixed(Double(point.threshold), digits: 3),
                NumberText.percent(point.accuracy, digits: 2),
            ]
        }
        var rows = [["deferred", "lines", "below", "cascade accuracy"]]
        rows += cascade.curve.table.map { row(NumberText.percent($0.share, digits: 0), $0) }
        if let point = cascade.ownPoint, let threshold = cascade.ownThreshold {
            rows.append([
                "own threshold: \(NumberText.percent(point.share))", NumberText.grouped(point.deferred),
                NumberText.fixed(Double(threshold), digits: 3), NumberText.percent(point.accuracy, digits: 2),
            ])
        }
        let gap = cascade.gap
        return PrintableText.table(rows)
            + "\nagreement \(NumberText.percent(cascade.agreement, digits: 2)); right: "
            + "both \(NumberText.grouped(cascade.bothRight)), only student "
            + "\(NumberText.grouped(cascade.onlyStudentRight)), only teacher "
            + "\(NumberText.grouped(cascade.onlyTeacherRight)), neither \(NumberText.grouped(cascade.bothWrong))\n"
            + "teacher − student \(NumberText.fixed(gap.difference * 100, digits: 2)) points "
            + "(\(NumberText.percent(gap.confidence, digits: 0)) interval "
            + "\(NumberText.fixed(gap.lower * 100, digits: 2)) to \(NumberText.fixed(gap.upper * 100, digits: 2)), "
            + "paired bootstrap)\n"
    }
}
