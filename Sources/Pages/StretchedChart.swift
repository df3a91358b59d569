import Diagnostics

/// A chart as SVG that is stretched to the available width, 600 by 120 units. Its text is HTML, so that it keeps its
/// shape. For charts with scales of their own see `ChartFrame`.
package enum StretchedChart {
    package typealias Point = (x: Double, y: Double)

    /// The chart around its shapes: a grid, a label at the upper and the lower end, and marks below.
    package static func framed(
        _ shapes: HTML, grid: HTML = quarters, top: String? = nil, bottom: String? = nil, axis: [String]
    ) -> HTML {
        let upper: HTML = top.map { "<span class=\"top\">\($0)</span>" } ?? ""
        let lower: HTML = bottom.map { "<span class=\"bottom\">\($0)</span>" } ?? ""
        let marks = HTML.joined(axis.map { "<span>\($0)</span>" as HTML })
        return """
            <div class="chart">\(upper)\(lower)<svg viewBox="0 0 600 120" preserveAspectRatio="none" aria-hidden="true">\
            \(grid)\(shapes)</svg></div>
            <p class="axis">\(marks)</p>
            """
    }

    /// The place of a chart that has nothing to show yet.
    package static func empty(_ reason: String) -> HTML {
        "<div class=\"chart empty\"><p>\(reason)</p></div>"
    }

    /// Lines at the top, in the middle and at the bottom.
    package static let quarters: HTML = "<path class=\"grid\" d=\"M0 2 H600 M0 60 H600 M0 118 H600\"/>"
    package static let floor: HTML = "<path class=\"grid\" d=\"M0 118.5 H600\"/>"

    /// A line over a shaded area, from 0 to `top`.
    package static func area(_ values: [Double], top: Double) -> HTML {
        let line = path(
            values.enumerated().map { index, value in
                (x: 600 * Double(index) / Double(values.count - 1), y: 118 - 114 * value / top)
            })
        return "<path class=\"area\" d=\"\(line) L600 118 L0 118 Z\"/><path class=\"line\" d=\"\(line)\"/>"
    }

    /// A line with a dot at each point and the band around it; `upper` and `lower` are the band's points.
    package static func band(_ middle: [Point], upper: [Point], lower: [Point]) -> HTML {
        var shapes: HTML
        if let high = upper.first, let low = lower.first, middle.count == 1 {
            shapes = "<path class=\"whisker\" d=\"M\(number(high.x)) \(number(high.y)) V\(number(low.y))\"/>"
        } else {
            shapes = "<path class=\"band\" d=\"\(path(upper)) \(path(lower.reversed(), start: "L")) Z\"/>"
        }
        shapes += "<path class=\"line\" d=\"\(path(middle))\"/>"
        // A path of zero length with round caps is a dot that stays round when the drawing is stretched.
        return shapes
            + HTML.joined(middle.map { "<path class=\"dot\" d=\"M\(number($0.x)) \(number($0.y)) h0\"/>" as HTML })
    }

    /// Bars of equal width; the largest has the full height.
    package static func bars(_ counts: [Int]) -> HTML {
        let largest = max(counts.max() ?? 1, 1)
        let step = 600 / Double(counts.count)
        return .joined(
            counts.enumerated().map { index, count -> HTML in
                let height = count == 0 ? 0 : max(1.5, 114 * Double(count) / Double(largest))
                return """
                    <rect class="bar" x="\(number(Double(index) * step + 2))" y="\(number(118 - height))" \
                    width="\(number(step - 4))" height="\(number(height))"/>
                    """
            })
    }

    /// Returns the smallest round number (1 to 10 times a power of ten) that is not below `value`.
    package static func niceTop(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return 1 }
        var unit = 1.0
        while unit * 10 <= value { unit *= 10 }
        while unit > value { unit /= 10 }
        for factor in [1.0, 1.5, 2, 3, 4, 5, 6, 8, 10] where unit * factor >= value { return unit * factor }
        return value
    }

    private static func path(_ points: [Point], start: String = "M") -> String {
        points.enumerated().map { index, point in
            (index == 0 ? start : "L") + number(point.x) + " " + number(max(0, min(120, point.y)))
        }.joined(separator: " ")
    }

    private static func number(_ value: Double) -> String { NumberText.fixed(value, digits: 1) }
}
