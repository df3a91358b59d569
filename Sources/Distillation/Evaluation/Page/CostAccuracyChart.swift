import Diagnostics

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
        // A tenth of the spread above and below, but never a range so small that noise looks like a cliff.
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
