import Diagnostics

/// A figure over the epochs of a training.
package enum LearningCurve {
    /// - Parameters:
    ///   - values: one for each epoch.
    ///   - best: the epoch, from 1, whose weights were taken.
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
