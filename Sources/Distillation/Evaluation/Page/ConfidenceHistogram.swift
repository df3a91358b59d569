import Diagnostics

/// How many lines have which confidence, right and wrong ones stacked.
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
