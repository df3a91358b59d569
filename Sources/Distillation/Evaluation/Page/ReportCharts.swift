import Diagnostics
import Pages

/// The cascade's accuracy over the share of lines that the teacher answers.
package enum CostAccuracyChart {
    /// `before`: another cascade with the same teacher on the same lines, drawn behind.
    package static func svg(_ cascade: CascadeEvaluation, before: CascadeEvaluation? = nil) -> HTML {
        let points = cascade.curve.points()
        let marks = stride(from: 0, through: 100, by: 5).map { cascade.curve.point(share: Double($0) / 100) }
        let earlier = before?.curve.points() ?? []
        let accuracies = (points + earlier).map(\.accuracy)
        let least = accuracies.min() ?? 0
        let most = accuracies.max() ?? 1
        // A margin of 15 % of the spread above and below, at least 0.004, so that noise isn't exaggerated.
        let margin = max((most - least) * 0.15, 0.004)
        let range = max(0, least - margin)...min(1, most + margin)
        let frame = ChartFrame(width: 480, height: 310, xRange: 0...1, yRange: range)
        let student = cascade.curve.accuracy(deferring: 0)
        let teacher = cascade.curve.accuracy(deferring: cascade.curve.count)

        func curve(_ points: [CostAccuracyCurve.Point], _ style: String) -> HTML {
            frame.curve(points.map { ($0.share, $0.accuracy) }, style: style)
        }
        var content: HTML = before == nil ? frame.level(student, style: "student") : ""
        content += frame.level(teacher, style: "teacher")
        if !earlier.isEmpty { content += curve(earlier, "before") }
        content += curve(points, "cascade")
        for mark in marks {
            content += frame.dot(mark.share, mark.accuracy, radius: 3, style: "dot cascade", caption: caption(mark))
        }
        if let own = cascade.ownPoint {
            content += frame.mark(own.share)
            content += frame.dot(
                own.share, own.accuracy, radius: 6, style: "own", caption: "own threshold: \(caption(own))")
        }
        return frame.svg(
            title: "Cascade accuracy over the share of lines deferred to the teacher",
            xTicks: stride(from: 0, through: 100, by: 20).map { (Double($0) / 100, "\($0) %") },
            yTicks: ChartFrame.percentTicks(range, count: 8), xTitle: "lines deferred to the teacher",
            yTitle: "accuracy", content: content)
    }

    private static func caption(_ point: CostAccuracyCurve.Point) -> String {
        "\(HTML.percent(point.share)) deferred: accuracy \(HTML.percent(point.accuracy, digits: 2))"
    }
}

/// Accuracy over confidence, one bar per bin: a bar that reaches the diagonal means that confidence equals accuracy.
package enum ReliabilityDiagram {
    package static func svg(_ error: ExpectedCalibrationError, role: ModelEvaluation.Role) -> HTML {
        let frame = ChartFrame(xRange: 0...1, yRange: 0...1)
        var content: HTML = ""
        let most = error.bins.map(\.count).max() ?? 0
        for bin in error.bins where bin.count > 0 {
            // A bin with few lines is unreliable, so it is drawn fainter (by the square root, since otherwise only one
            // bin would be visible).
            let strength = 0.3 + 0.7 * (Double(bin.count) / Double(max(most, 1))).squareRoot()
            let caption =
                "confidence \(NumberText.fixed(bin.lower, digits: 2))–\(NumberText.fixed(bin.upper, digits: 2)): "
                + "\(NumberText.grouped(bin.count)) lines, mean confidence \(HTML.percent(bin.confidence)), "
                + "accuracy \(HTML.percent(bin.accuracy))"
            let gap = min(bin.accuracy, bin.confidence)...max(bin.accuracy, bin.confidence)
            let fill = frame.bar(
                bin.lower...bin.upper, from: 0, to: bin.accuracy, gap: 1, style: "fill \(role.rawValue)",
                opacity: strength)
            let outline = frame.bar(
                bin.lower...bin.upper, from: gap.lowerBound, to: gap.upperBound, gap: 1, style: "gap", opacity: 1)
            content += "<g><title>\(caption)</title>\(fill)\(outline)</g>\n"
        }
        content += frame.diagonal
        let ticks = ChartFrame.percentTicks(0...1, count: 5)
        return frame.svg(
            title: "Reliability of the \(role.rawValue): accuracy over confidence, expected calibration error "
                + HTML.percent(error.value, digits: 2),
            xTicks: ticks, yTicks: ticks, xTitle: "confidence", yTitle: "accuracy", content: content)
    }
}

/// The number of lines by confidence, right and wrong ones stacked.
enum ConfidenceHistogram {
    static let binCount = 25

    static func svg(_ model: ModelEvaluation, threshold: Float?) -> HTML {
        let bins = ExpectedCalibrationError(
            confidences: model.calibrated.confidences, correct: model.correct, bins: binCount
        ).bins
        let most = Double(bins.map(\.count).max() ?? 0)
        let frame = ChartFrame(xRange: 0...1, yRange: 0...max(most * 1.05, 1))
        var content: HTML = ""
        for bin in bins where bin.count > 0 {
            let wrong = Double(bin.count - bin.correct)
            let caption =
                "confidence \(NumberText.fixed(bin.lower, digits: 2))–\(NumberText.fixed(bin.upper, digits: 2)): "
                + "\(NumberText.grouped(bin.correct)) right, \(NumberText.grouped(bin.count - bin.correct)) wrong"
            let range = bin.lower...bin.upper
            let below = frame.bar(range, from: 0, to: wrong, gap: 0.8, style: "fill wrong")
            let above = frame.bar(
                range, from: wrong, to: Double(bin.count), gap: 0.8, style: "fill \(model.role.rawValue)")
            content += "<g><title>\(caption)</title>\(below)\(above)</g>\n"
        }
        if let threshold {
            let shown = NumberText.fixed(Double(threshold), digits: 3)
            content += frame.mark(Double(threshold), content: "<title>deferral threshold \(shown)</title>")
        }
        return frame.svg(
            title: "Lines by confidence of the \(model.role.rawValue)",
            xTicks: ChartFrame.percentTicks(0...1, count: 5),
            yTicks: ChartFrame.ticks(frame.yRange, count: 5).map { ($0, NumberText.grouped(Int($0))) },
            xTitle: "confidence", yTitle: "lines", content: content)
    }
}

/// A measure over the epochs of a training.
package enum LearningCurve {
    /// - Parameters:
    ///   - values: one for each epoch.
    ///   - best: the epoch, from 1, whose weights were kept.
    ///   - isShare: whether the values are shares, shown in per cent.
    package static func svg(_ values: [Double], best: Int, title: String, style: String, isShare: Bool) -> HTML {
        let finite = values.filter(\.isFinite)
        let least = finite.min() ?? 0
        let most = finite.max() ?? 1
        let margin = max((most - least) * 0.15, isShare ? 0.004 : 0.01)
        let range = max(0, least - margin)...(most + margin)
        let frame = ChartFrame(xRange: 1...Double(max(values.count, 2)), yRange: range)
        let points = values.enumerated().filter { $1.isFinite }.map { (x: Double($0 + 1), y: $1) }
        var content = frame.curve(points, style: style)
        for point in points {
            let value = isShare ? HTML.percent(point.y) : NumberText.fixed(point.y, digits: 4)
            let isBest = Int(point.x) == best
            content += frame.dot(
                point.x, point.y, radius: isBest ? 6 : 4, style: isBest ? "own" : "dot \(style)",
                caption: "epoch \(Int(point.x)): \(value)")
        }
        let step = max(1, (values.count + 9) / 10)
        let yTicks =
            isShare
            ? ChartFrame.percentTicks(range, count: 6)
            : ChartFrame.ticks(range, count: 6).map { ($0, NumberText.fixed($0, digits: 2)) }
        return frame.svg(
            title: "\(title) over the epochs",
            xTicks: stride(from: 1, through: max(values.count, 1), by: step).map { (Double($0), "\($0)") },
            yTicks: yTicks, xTitle: "epoch", yTitle: title, content: content)
    }
}
