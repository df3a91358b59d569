import Diagnostics

/// The plot area of a small SVG chart: scales, grid, axes. Sizes are in the view box's units.
///
/// The view box is narrow, so that text stays legible where a phone shrinks the chart.
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

    /// A coordinate with a tenth of a unit: finer than any screen shows.
    static func number(_ value: Double) -> String { NumberText.fixed(value, digits: 1) }

    /// Ticks at round steps (1, 2 or 5 times a power of ten) inside `range`, about `count` of them.
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

    /// The SVG element with grid and axes around `content`; `title` is read to those who can't see it.
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

    /// Ticks labelled in per cent, with as many decimals as their step needs.
    static func percentTicks(_ range: ClosedRange<Double>, count: Int) -> [(Double, String)] {
        let values = ticks(range, count: count)
        let step = values.count > 1 ? values[1] - values[0] : 1
        let digits = step >= 0.0099 ? 0 : step >= 0.00099 ? 1 : 2
        return values.map { ($0, HTMLText.percent($0, digits: digits)) }
    }
}
