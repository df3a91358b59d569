import Diagnostics

/// The plot area of a small SVG chart: scales, grid, axes. Sizes are in the view box's units.
///
/// The view box is narrow, so that text stays legible on a phone.
package struct ChartFrame {
    let width: Double
    let height: Double
    let left = 58.0
    let right = 24.0
    let top = 34.0
    let bottom = 46.0
    let xRange: ClosedRange<Double>
    package let yRange: ClosedRange<Double>

    package init(
        width: Double = 440, height: Double = 310, xRange: ClosedRange<Double>, yRange: ClosedRange<Double>
    ) {
        self.width = width
        self.height = height
        self.xRange = xRange
        self.yRange = yRange
    }

    package func x(_ value: Double) -> Double {
        left + (value - xRange.lowerBound) / (xRange.upperBound - xRange.lowerBound) * (width - left - right)
    }

    package func y(_ value: Double) -> Double {
        height - bottom
            - (value - yRange.lowerBound) / (yRange.upperBound - yRange.lowerBound) * (height - top - bottom)
    }

    /// A coordinate with one decimal, which is finer than the resolution of a screen.
    package static func number(_ value: Double) -> String { NumberText.fixed(value, digits: 1) }

    /// About `count` ticks at round steps (1, 2 or 5 times a power of ten) inside `range`.
    package static func ticks(_ range: ClosedRange<Double>, count: Int) -> [Double] {
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
    package func svg(
        title: String, xTicks: [(Double, String)], yTicks: [(Double, String)], xTitle: String, yTitle: String,
        content: HTML
    ) -> HTML {
        let number = Self.number
        var grid: HTML = ""
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
            <svg viewBox="0 0 \(Int(width)) \(Int(height))" role="img" aria-label="\(title)">
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
    package static func percentTicks(_ range: ClosedRange<Double>, count: Int) -> [(Double, String)] {
        let values = ticks(range, count: count)
        let step = values.count > 1 ? values[1] - values[0] : 1
        let digits = step >= 0.0099 ? 0 : step >= 0.00099 ? 1 : 2
        return values.map { ($0, HTML.percent($0, digits: digits)) }
    }
}

/// Shapes of a chart, in the coordinates of its values.
extension ChartFrame {
    package func curve(_ points: [(x: Double, y: Double)], style: String) -> HTML {
        let path = points.map { "\(Self.number(x($0.x))),\(Self.number(y($0.y)))" }
        return "<polyline class=\"curve \(style)\" points=\"\(path.joined(separator: " "))\"/>\n"
    }

    package func dot(_ x: Double, _ y: Double, radius: Int, style: String, caption: String) -> HTML {
        """
        <circle class="\(style)" cx="\(Self.number(self.x(x)))" cy="\(Self.number(self.y(y)))" r="\(radius)">\
        <title>\(caption)</title></circle>

        """
    }

    /// A horizontal line at a value.
    package func level(_ value: Double, style: String) -> HTML {
        """
        <line class="level \(style)" x1="\(Self.number(x(xRange.lowerBound)))" x2="\(Self.number(x(xRange.upperBound)))" \
        y1="\(Self.number(y(value)))" y2="\(Self.number(y(value)))"/>

        """
    }

    /// A vertical line through the whole plot area.
    package func mark(_ value: Double, content: HTML = "") -> HTML {
        let place = Self.number(x(value))
        return """
            <line class="mark" x1="\(place)" x2="\(place)" y1="\(Self.number(top))" \
            y2="\(Self.number(height - bottom))">\(content)</line>

            """
    }

    /// The line from the lower left to the upper right corner.
    package var diagonal: HTML {
        """
        <line class="diagonal" x1="\(Self.number(x(xRange.lowerBound)))" y1="\(Self.number(y(yRange.lowerBound)))" \
        x2="\(Self.number(x(xRange.upperBound)))" y2="\(Self.number(y(yRange.upperBound)))"/>
        """
    }

    /// A bar over a range of x, narrower by `gap` on both sides; nothing if it has no height.
    package func bar(
        _ xs: ClosedRange<Double>, from low: Double, to high: Double, gap: Double, style: String, opacity: Double? = nil
    ) -> HTML {
        let left = x(xs.lowerBound) + gap
        let height = y(low) - y(high)
        guard height > 0 else { return "" }
        let opacity: HTML = opacity.map { " opacity=\"\(NumberText.fixed($0, digits: 2))\"" } ?? ""
        return """
            <rect class="\(style)" x="\(Self.number(left))" y="\(Self.number(y(high)))" \
            width="\(Self.number(x(xs.upperBound) - gap - left))" height="\(Self.number(height))"\(opacity)/>
            """
    }
}
