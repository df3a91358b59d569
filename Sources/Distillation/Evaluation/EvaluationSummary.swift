import Bytes
import Diagnostics
import Models

/// All results of `evaluate`, ready to be written as text, JSON or an HTML page.
public struct EvaluationSummary: Sendable {
    /// The name of the data.
    public let dataName: String
    /// Label names in the order of every matrix here.
    public let labels: [String]
    /// Labelled lines, which were scored, and unlabelled lines, which were not.
    public let lineCount: Int
    public let skippedCount: Int
    public let student: ModelEvaluation?
    public let teacher: ModelEvaluation?
    /// Present if there are both models.
    public let cascade: CascadeEvaluation?

    public var models: [ModelEvaluation] { [student, teacher].compactMap { $0 } }

    /// The label order to read data with: the student's, or the teacher's if there is no student.
    ///
    /// - Throws: `usage` without a model; `invalidData` if the models' label sets differ.
    public static func labels(
        student: (any LineClassifier)?, teacher: (any LineClassifier)?
    ) throws(UnderstudyError) -> [String] {
        if let student, let teacher {
            let own = Set(student.labels)
            let other = Set(teacher.labels)
            guard own == other, student.labels.count == teacher.labels.count else {
                throw UnderstudyError(
                    .invalidData,
                    "student and teacher have different labels: "
                        + "\(list(student.labels)) in \(student.version), \(list(teacher.labels)) in \(teacher.version)"
                )
            }
        }
        guard let labels = student?.labels ?? teacher?.labels else {
            throw UnderstudyError(.usage, "there is no model to evaluate; name one with --student, --teacher or both")
        }
        return labels
    }

    /// Scores the labelled lines of `data` with each model and measures the results.
    ///
    /// - Parameter data: read with the order that `labels(student:teacher:)` returns.
    /// - Throws: `invalidData` if no line has a label, or a model gives logits that aren't finite.
    public static func measure<C: Clock>(
        _ data: DataSet, name: String, student: (any LineClassifier)?, teacher: (any LineClassifier)?,
        evaluator: Evaluator, clock: C, progress: ProgressMeter = .silent
    ) throws(UnderstudyError) -> EvaluationSummary where C.Duration == Duration {
        let labels = try labels(student: student, teacher: teacher)
        precondition(data.labels == labels, "the data was read with another label order")
        let lines = data.labelled()
        guard !lines.isEmpty else {
            throw UnderstudyError(
                .invalidData, "none of the \(data.count) rows has a label, so there is nothing to compare with",
                at: name)
        }
        func evaluation(
            _ role: ModelEvaluation.Role, _ classifier: (any LineClassifier)?
        ) throws(UnderstudyError) -> ModelEvaluation? {
            guard let classifier else { return nil }
            let scored = try evaluator.score(
                lines, by: classifier, clock: clock, stage: role.rawValue, progress: progress)
            let order = labels.compactMap(classifier.labels.firstIndex(of:))
            return ModelEvaluation(
                role: role, version: classifier.version, labels: labels, scored: scored.columns(order),
                truth: lines.labelIndices, temperature: (classifier as? any CalibratedClassifier)?.temperature ?? 1)
        }
        let own = try evaluation(.student, student)
        let other = try evaluation(.teacher, teacher)
        var cascade: CascadeEvaluation?
        if let own, let other {
            cascade = CascadeEvaluation(
                student: own, teacher: other,
                ownThreshold: (student as? any CalibratedClassifier)?.deferralThreshold)
        }
        return EvaluationSummary(
            dataName: name, labels: labels, lineCount: lines.count, skippedCount: data.count - lines.count,
            student: own, teacher: other, cascade: cascade)
    }

    private static func list(_ labels: [String]) -> String {
        labels.map(PrintableText.escaped).joined(separator: ", ")
    }
}

extension EvaluationSummary {
    /// The report for a terminal, with its final newline.
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

extension EvaluationSummary {
    /// All results as one JSON object with a final newline. Shares are 0 to 1; names include their units.
    public func json() -> String {
        let summary = JSONTree.members([
            ("data", .string(dataName)),
            ("lines", .integer(lineCount)),
            ("skipped_lines", .integer(skippedCount)),
            ("labels", .strings(labels)),
            ("student", .optional(student, Self.model)),
            ("teacher", .optional(teacher, Self.model)),
            ("cascade", .optional(cascade, Self.cascade)),
        ])
        return summary.written(.indentedRows) + "\n"
    }

    private static func model(_ model: ModelEvaluation) -> JSONTree {
        let report = model.report
        let matrix = report.labels.indices.map { actual in
            JSONTree.array(report.labels.indices.map { .integer(model.confusion[actual, $0]) })
        }
        return .members([
            ("version", .string(model.version)),
            ("accuracy", .finite(report.accuracy)),
            ("per_label", .members(zip(report.labels, report.perLabel).map { ($0, scores($1)) })),
            ("macro_average", scores(report.macroAverage)),
            ("weighted_average", scores(report.weightedAverage)),
            ("confusion_matrix", .array(matrix)),
            ("temperature", .float(model.temperature)),
            ("at_temperature_1", calibration(model.calibrationErrorBefore, model.lossBefore, model.brierBefore)),
            ("at_own_temperature", calibration(model.calibrationErrorAfter, model.lossAfter, model.brierAfter)),
            ("aurc", .finite(model.selectiveRisk.areaUnderRiskCoverage)),
            ("augrc", .finite(model.selectiveRisk.areaUnderGeneralisedRisk)),
            ("speed", speed(model.scored)),
        ])
    }

    private static func scores(_ scores: ClassificationReport.Scores) -> JSONTree {
        .members([
            ("precision", .finite(scores.precision)), ("recall", .finite(scores.recall)), ("f1", .finite(scores.f1)),
            ("support", .integer(scores.support)),
        ])
    }

    private static func calibration(
        _ error: ExpectedCalibrationError, _ loss: Double, _ brier: Double
    ) -> JSONTree {
        let bins = error.bins.map { bin in
            JSONTree.members([
                ("above", .finite(bin.lower)), ("to", .finite(bin.upper)), ("lines", .integer(bin.count)),
                ("confidence", bin.count == 0 ? .null : .finite(bin.confidence)),
                ("accuracy", bin.count == 0 ? .null : .finite(bin.accuracy)),
            ])
        }
        return .members([
            ("ece", .finite(error.value)), ("maximum_calibration_error", .finite(error.maximum)),
            ("negative_log_likelihood", .finite(loss)), ("brier_score", .finite(brier)), ("bins", .array(bins)),
        ])
    }

    private static func speed(_ scored: ScoredLines) -> JSONTree {
        func milliseconds(_ share: Double) -> JSONTree {
            .optional(scored.latency(percentile: share)) { .finite($0 / .milliseconds(1)) }
        }
        return .members([
            ("lines_per_second", .finite(scored.linesPerSecond)), ("threads", .integer(scored.threads)),
            ("latency_p50_milliseconds", milliseconds(0.5)), ("latency_p99_milliseconds", milliseconds(0.99)),
            ("latency_sample_lines", .integer(scored.latencies.count)),
        ])
    }

    private static func cascade(_ cascade: CascadeEvaluation) -> JSONTree {
        func point(_ point: CostAccuracyCurve.Point) -> JSONTree {
            .members([
                ("deferred_share", .finite(point.share)), ("deferred_lines", .integer(point.deferred)),
                ("accuracy", .finite(point.accuracy)), ("least_kept_confidence", .float(point.threshold)),
            ])
        }
        return .members([
            ("agreement", .finite(cascade.agreement)),
            ("both_right", .integer(cascade.bothRight)),
            ("only_student_right", .integer(cascade.onlyStudentRight)),
            ("only_teacher_right", .integer(cascade.onlyTeacherRight)),
            ("both_wrong", .integer(cascade.bothWrong)),
            (
                "teacher_minus_student",
                .members([
                    ("difference", .finite(cascade.gap.difference)), ("lower", .finite(cascade.gap.lower)),
                    ("upper", .finite(cascade.gap.upper)), ("confidence", .finite(cascade.gap.confidence)),
                ])
            ),
            ("own_threshold", .optional(cascade.ownThreshold, JSONTree.float)),
            ("at_own_threshold", .optional(cascade.ownPoint, point)),
            ("cost_accuracy_table", .array(cascade.curve.table.map(point))),
            // Steps of 0.05, enough to draw the curve.
            ("cost_accuracy_curve", .array(cascade.curve.points(steps: 20).map(point))),
        ])
    }
}

extension JSONTree {
    /// null if the value isn't finite, since JSON has no number for it.
    fileprivate static func finite(_ value: Double) -> JSONTree { value.isFinite ? .double(value) : .null }

    /// The shortest digits that restore the same f32, written as those of a Double.
    fileprivate static func float(_ value: Float) -> JSONTree { .finite(Double("\(value)") ?? Double(value)) }

    fileprivate static func optional<Value>(_ value: Value?, _ make: (Value) -> JSONTree) -> JSONTree {
        value.map(make) ?? .null
    }
}
