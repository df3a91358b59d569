import Diagnostics

/// Accuracy over confidence, a bar a bin: where bars meet the diagonal, confidence is probability.
package enum ReliabilityDiagram {
    package static func svg(_ error: ExpectedCalibrationError, role: ModelEvaluation.Role) -> String {
        let frame = ChartFrame(xRange: 0...1, yRange: 0...1)
        let number = ChartFrame.number
        var content = ""
        let most = error.bins.map(\.count).max() ?? 0
        for bin in error.bins where bin.count > 0 {
            let left = frame.x(bin.lower) + 1
            let width = frame.x(bin.upper) - 1 - left
            // A bin with few lines says little, so it is drawn fainter (by the root, or only one bin would be seen).
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
