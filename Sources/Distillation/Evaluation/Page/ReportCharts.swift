import Diagnostics

/// The plot area of a small SVG chart: scales, grid, axes. Sizes are in the view box's units.
///
/// The view box is narrow, so that text stays legible on a phone.
package struct ChartFrame {
    var width = 440.0
    var height = 310.0
    var left = 58.0
    var right = 24.0
    var top = 34.0
    var bottom = 46.0
    let xRange: ClosedRange<Double>
    let yRange: ClosedRange<Double>

    package init(
        width: Double = 440, height: Double = 310, xRange: ClosedRange<Double>, yRange: ClosedRange<Double>
    ) {
        self.width = width
        self.height = height
        self.xRange = xRange
        self.yRange = yRange
    }

    func x(_ value: Double) -> Double {
        left + (value - xRange.lowerBound) / (xRange.upperBound - xRange.lowerBound) * (width - left - right)
    }

    func y(_ value: Double) -> Double {
        height - bottom
            - (value - yRange.lowerBound) / (yRange.upperBound - yRange.lowerBound) * (height - top - bottom)
    }

    /// A coordinate with one decimal, which is finer than the resolution of a screen.
    static func number(_ value: Double) -> String { NumberText.fixed(value, digits: 1) }

    /// About `count` ticks at round steps (1, 2 or 5 times a power of ten) inside `range`.
    static func ticks(_ range: ClosedRange<Double>, count: Int) -> [Double] {
        let rough = (range.upperBound - range.lowerBound) / Double(max(count, 1))
        guard rough > 0, rough.isFinite else { return [range.lowerBound] }
        var power = 1.0
        while power > rough { power /= 10 }
        while power * 10 <= rough { power *= 10 }
        let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough } ?? power * 10
        let first = (range.lowerBound / step - 1e-9).rounded(.up)
        let last = (range.upperBound / step + 1e-9).rounded(.down)
        // Adding 0 turns −0 into 0.
        return stride(from: first, through: last, by: 1).map { $0 * step + 0 }
    }

    /// The SVG element with grid and axes around `content`; `title` is the text for screen readers.
    func svg(
        title: String, xTicks: [(Double, String)], yTicks: [(Double, String)], xTitle: String, yTitle: String,
        content: String
    ) -> String {
        let number = Self.number
        var grid = ""
        for (value, label) in yTicks {
            grid +=
                "<line class=\"grid\" x1=\"\(number(left))\" x2=\"\(number(width - right))\" y1=\"\(number(y(value)))\""
            grid += " y2=\"\(number(y(value)))\"/>"
            grid += "<text class=\"tick\" x=\"\(number(left - 7))\" y=\"\(number(y(value) + 4))\" text-anchor=\"end\">"
            grid += "\(label)</text>\n"
        }
        for (value, label) in xTicks {
            grid += "<text class=\"tick\" x=\"\(number(x(value)))\" y=\"\(number(height - bottom + 19))\""
            grid += " text-anchor=\"middle\">\(label)</text>\n"
        }
        return """
            <svg viewBox="0 0 \(Int(width)) \(Int(height))" role="img" aria-label="\(HTMLText.escaped(title))">
            \(grid)<line class="axis" x1="\(number(left))" x2="\(number(width - right))" y1="\(number(height - bottom))" \
            y2="\(number(height - bottom))"/>
            \(content)
            <text class="title" x="\(number(left + (width - left - right) / 2))" y="\(number(height - 8))" \
            text-anchor="middle">\(xTitle)</text>
            <text class="title" x="4" y="14">\(yTitle)</text>
            </svg>

            """
    }

    /// Ticks labelled in per cent, with the number of decimals that their step needs.
    static func percentTicks(_ range: ClosedRange<Double>, count: Int) -> [(Double, String)] {
        let values = ticks(range, count: count)
        let step = values.count > 1 ? values[1] - values[0] : 1
        let digits = step >= 0.0099 ? 0 : step >= 0.00099 ? 1 : 2
        return values.map { ($0, HTMLText.percent($0, digits: digits)) }
    }
}

/// The cascade's accuracy over the share of lines that the teacher answers.
package enum CostAccuracyChart {
    /// `before`: another cascade with the same teacher on the same lines, drawn behind.
    package static func svg(_ cascade: CascadeEvaluation, before: CascadeEvaluation? = nil) -> String {
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
        let number = ChartFrame.number
        let student = cascade.curve.accuracy(deferring: 0)
        let teacher = cascade.curve.accuracy(deferring: cascade.curve.count)

        func level(_ accuracy: Double, _ role: String) -> String {
            "<line class=\"level \(role)\" x1=\"\(number(frame.x(0)))\" x2=\"\(number(frame.x(1)))\""
                + " y1=\"\(number(frame.y(accuracy)))\" y2=\"\(number(frame.y(accuracy)))\"/>\n"
        }
        func curve(_ points: [CostAccuracyCurve.Point], _ style: String) -> String {
            let path = points.map { "\(number(frame.x($0.share))),\(number(frame.y($0.accuracy)))" }
            return "<polyline class=\"curve \(style)\" points=\"\(path.joined(separator: " "))\"/>\n"
        }
        var content = before == nil ? level(student, "student") : ""
        content += level(teacher, "teacher")
        if !earlier.isEmpty { content += curve(earlier, "before") }
        content += curve(points, "cascade")
        for mark in marks {
            content += "<circle class=\"dot cascade\" cx=\"\(number(frame.x(mark.share)))\""
            content += " cy=\"\(number(frame.y(mark.accuracy)))\" r=\"3\"><title>\(caption(mark))</title></circle>\n"
        }
        if let own = cascade.ownPoint {
            let x = number(frame.x(own.share))
            let y = number(frame.y(own.accuracy))
            content += "<line class=\"mark\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(number(frame.top))\""
            content += " y2=\"\(number(frame.height - frame.bottom))\"/>\n"
            content += "<circle class=\"own\" cx=\"\(x)\" cy=\"\(y)\" r=\"6\"><title>own threshold: \(caption(own))"
            content += "</title></circle>\n"
        }
        return frame.svg(
            title: "Cascade accuracy over the share of lines deferred to the teacher",
            xTicks: stride(from: 0, through: 100, by: 20).map { (Double($0) / 100, "\($0) %") },
            yTicks: ChartFrame.percentTicks(range, count: 8), xTitle: "lines deferred to the teacher",
            yTitle: "accuracy", content: content)
    }

    private static func caption(_ point: CostAccuracyCurve.Point) -> String {
        "\(HTMLText.percent(point.share)) deferred: accuracy \(HTMLText.percent(point.accuracy, digits: 2))"
    }
}

/// Accuracy over confidence, one bar per bin: a bar that reaches the diagonal means that confidence equals accuracy.
package enum ReliabilityDiagram {
    package static func svg(_ error: ExpectedCalibrationError, role: ModelEvaluation.Role) -> String {
        let frame = ChartFrame(xRange: 0...1, yRange: 0...1)
        let number = ChartFrame.number
        var content = ""
        let most = error.bins.map(\.count).max() ?? 0
        for bin in error.bins where bin.count > 0 {
            let left = frame.x(bin.lower) + 1
            let width = frame.x(bin.upper) - 1 - left
            // A bin with few lines is unreliable, so it is drawn fainter (by the square root, since otherwise only one
            // bin would be visible).
            let strength = 0.3 + 0.7 * (Double(bin.count) / Double(max(most, 1))).squareRoot()
            let caption =
                "confidence \(NumberText.fixed(bin.lower, digits: 2))–\(NumberText.fixed(bin.upper, digits: 2)): "
                + "\(NumberText.grouped(bin.count)) lines, mean confidence \(HTMLText.percent(bin.confidence)), "
                + "accuracy \(HTMLText.percent(bin.accuracy))"
            content += "<g><title>\(caption)</title>"
            content += bar("fill \(role.rawValue)", left, width, from: 0, to: bin.accuracy, frame, opacity: strength)
            let gap = min(bin.accuracy, bin.confidence)...max(bin.accuracy, bin.confidence)
            content += bar("gap", left, width, from: gap.lowerBound, to: gap.upperBound, frame, opacity: 1)
            content += "</g>\n"
        }
        content += "<line class=\"diagonal\" x1=\"\(number(frame.x(0)))\" y1=\"\(number(frame.y(0)))\""
        content += " x2=\"\(number(frame.x(1)))\" y2=\"\(number(frame.y(1)))\"/>"
        let ticks = ChartFrame.percentTicks(0...1, count: 5)
        return frame.svg(
            title: "Reliability of the \(role.rawValue): accuracy over confidence, expected calibration error "
                + HTMLText.percent(error.value, digits: 2),
            xTicks: ticks, yTicks: ticks, xTitle: "confidence", yTitle: "accuracy", content: content)
    }

    private static func bar(
        _ style: String, _ left: Double, _ width: Double, from low: Double, to high: Double, _ frame: ChartFrame,
        opacity: Double
    ) -> String {
        let number = ChartFrame.number
        let height = frame.y(low) - frame.y(high)
        guard height > 0 else { return "" }
        return
            "<rect class=\"\(style)\" x=\"\(number(left))\" y=\"\(number(frame.y(high)))\" width=\"\(number(width))\""
            + " height=\"\(number(height))\" opacity=\"\(NumberText.fixed(opacity, digits: 2))\"/>"
    }
}

/// The number of lines by confidence, right and wrong ones stacked.
enum ConfidenceHistogram {
    static let binCount = 25

    static func svg(_ model: ModelEvaluation, threshold: Float?) -> String {
        let bins = ExpectedCalibrationError(
            confidences: model.calibrated.confidences, correct: model.correct, bins: binCount
        ).bins
        let most = Double(bins.map(\.count).max() ?? 0)
        let frame = ChartFrame(xRange: 0...1, yRange: 0...max(most * 1.05, 1))
        let number = ChartFrame.number
        var content = ""
        for bin in bins where bin.count > 0 {
            let left = frame.x(bin.lower) + 0.8
            let width = frame.x(bin.upper) - 0.8 - left
            let wrong = Double(bin.count - bin.correct)
            let caption =
                "confidence \(NumberText.fixed(bin.lower, digits: 2))–\(NumberText.fixed(bin.upper, digits: 2)): "
                + "\(NumberText.grouped(bin.correct)) right, \(NumberText.grouped(bin.count - bin.correct)) wrong"
            content += "<g><title>\(caption)</title>"
            for (style, low, high) in [("wrong", 0, wrong), (model.role.rawValue, wrong, Double(bin.count))]
            where high > low {
                content += "<rect class=\"fill \(style)\" x=\"\(number(left))\" y=\"\(number(frame.y(high)))\""
                content += " width=\"\(number(width))\" height=\"\(number(frame.y(low) - frame.y(high)))\"/>"
            }
            content += "</g>\n"
        }
        if let threshold {
            let x = number(frame.x(Double(threshold)))
            content += "<line class=\"mark\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(number(frame.top))\""
            content += " y2=\"\(number(frame.height - frame.bottom))\"><title>deferral threshold "
            content += "\(NumberText.fixed(Double(threshold), digits: 3))</title></line>"
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
    package static func svg(_ values: [Double], best: Int, title: String, style: String, isShare: Bool) -> String {
        let finite = values.filter(\.isFinite)
        let least = finite.min() ?? 0
        let most = finite.max() ?? 1
        let margin = max((most - least) * 0.15, isShare ? 0.004 : 0.01)
        let range = max(0, least - margin)...(most + margin)
        let frame = ChartFrame(xRange: 1...Double(max(values.count, 2)), yRange: range)
        let number = ChartFrame.number
        let points = values.enumerated().filter { $1.isFinite }.map { (x: Double($0 + 1), y: $1) }
        let path = points.map { "\(number(frame.x($0.x))),\(number(frame.y($0.y)))" }
        var content = "<polyline class=\"curve \(style)\" points=\"\(path.joined(separator: " "))\"/>\n"
        for point in points {
            let value = isShare ? HTMLText.percent(point.y) : NumberText.fixed(point.y, digits: 4)
            let kind = Int(point.x) == best ? "own" : "dot \(style)"
            content += "<circle class=\"\(kind)\" cx=\"\(number(frame.x(point.x)))\""
            content += " cy=\"\(number(frame.y(point.y)))\" r=\"\(Int(point.x) == best ? 6 : 4)\">"
            content += "<title>epoch \(Int(point.x)): \(value)</title></circle>\n"
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
