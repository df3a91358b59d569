extension EvaluationSummary {
    /// Everything as one JSON object, with its last line end. Shares are 0 to 1; names carry their units.
    public func json() -> String {
        let fields: [(String, JSONText)] = [
            ("data", .string(dataName)),
            ("lines", .integer(lineCount)),
            ("skipped_lines", .integer(skippedCount)),
            ("labels", .array(labels.map(JSONText.string))),
            ("student", .optional(student, Self.model)),
            ("teacher", .optional(teacher, Self.model)),
            ("cascade", .optional(cascade, Self.cascade)),
        ]
        return JSONText.object(fields).text() + "\n"
    }

    private static func model(_ model: ModelEvaluation) -> JSONText {
        let report = model.report
        let matrix = report.labels.indices.map { actual in
            JSONText.array(report.labels.indices.map { .integer(model.confusion[actual, $0]) })
        }
        return .object([
            ("version", .string(model.version)),
            ("accuracy", .number(report.accuracy)),
            ("per_label", .object(zip(report.labels, report.perLabel).map { ($0, scores($1)) })),
            ("macro_average", scores(report.macroAverage)),
            ("weighted_average", scores(report.weightedAverage)),
            ("confusion_matrix", .array(matrix)),
            ("temperature", .float(model.temperature)),
            ("at_temperature_1", calibration(model.calibrationErrorBefore, model.lossBefore, model.brierBefore)),
            ("at_own_temperature", calibration(model.calibrationErrorAfter, model.lossAfter, model.brierAfter)),
            ("aurc", .number(model.selectiveRisk.areaUnderRiskCoverage)),
            ("augrc", .number(model.selectiveRisk.areaUnderGeneralisedRisk)),
            ("speed", speed(model.scored)),
        ])
    }

    private static func scores(_ scores: ClassificationReport.Scores) -> JSONText {
        .object([
            ("precision", .number(scores.precision)), ("recall", .number(scores.recall)), ("f1", .number(scores.f1)),
            ("support", .integer(scores.support)),
        ])
    }

    private static func calibration(
        _ error: ExpectedCalibrationError, _ loss: Double, _ brier: Double
    ) -> JSONText {
        let bins = error.bins.map { bin in
            JSONText.object([
                ("above", .number(bin.lower)), ("to", .number(bin.upper)), ("lines", .integer(bin.count)),
                ("confidence", bin.count == 0 ? .null : .number(bin.confidence)),
                ("accuracy", bin.count == 0 ? .null : .number(bin.accuracy)),
            ])
        }
        return .object([
            ("ece", .number(error.value)), ("maximum_calibration_error", .number(error.maximum)),
            ("negative_log_likelihood", .number(loss)), ("brier_score", .number(brier)), ("bins", .array(bins)),
        ])
    }

    private static func speed(_ scored: ScoredLines) -> JSONText {
        func milliseconds(_ share: Double) -> JSONText {
            .optional(scored.latency(percentile: share)) { .number($0 / .milliseconds(1)) }
        }
        return .object([
            ("lines_per_second", .number(scored.linesPerSecond)), ("threads", .integer(scored.threads)),
            ("latency_p50_milliseconds", milliseconds(0.5)), ("latency_p99_milliseconds", milliseconds(0.99)),
            ("latency_sample_lines", .integer(scored.latencies.count)),
        ])
    }

    private static func cascade(_ cascade: CascadeEvaluation) -> JSONText {
        func point(_ point: CostAccuracyCurve.Point) -> JSONText {
            .object([
                ("deferred_share", .number(point.share)), ("deferred_lines", .integer(point.deferred)),
                ("accuracy", .number(point.accuracy)), ("least_kept_confidence", .float(point.threshold)),
            ])
        }
        return .object([
            ("agreement", .number(cascade.agreement)),
            ("both_right", .integer(cascade.bothRight)),
            ("only_student_right", .integer(cascade.onlyStudentRight)),
            ("only_teacher_right", .integer(cascade.onlyTeacherRight)),
            ("both_wrong", .integer(cascade.bothWrong)),
            (
                "teacher_minus_student",
                .object([
                    ("difference", .number(cascade.gap.difference)), ("lower", .number(cascade.gap.lower)),
                    ("upper", .number(cascade.gap.upper)), ("confidence", .number(cascade.gap.confidence)),
                ])
            ),
            ("own_threshold", .optional(cascade.ownThreshold, JSONText.float)),
            ("at_own_threshold", .optional(cascade.ownPoint, point)),
            ("cost_accuracy_table", .array(cascade.curve.table.map(point))),
            // Every five hundredths: enough to draw from.
            ("cost_accuracy_curve", .array(cascade.curve.points(steps: 20).map(point))),
        ])
    }
}
