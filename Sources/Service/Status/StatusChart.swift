import Diagnostics

/// Draws the page's charts as SVG that is stretched to the available width. Their text is HTML.
enum StatusChart {
    /// Draws a line over a shaded area, from 0 to the largest value. The last value is the current one.
    static func area(_ values: [Double], stepSeconds: Double) -> HTML {
        let top = niceTop(values.max() ?? 0)
        guard values.count > 1 else { return empty("The first minute isn't over yet.") }
        let points = values.enumerated().map { index, value in
            (x: 600 * Double(index) / Double(values.count - 1), y: 118 - 114 * value / top)
        }
        let line = path(points)
        return """
            <div class="chart"><span class="top">\(StatusFormat.rate(top))</span>\
            <svg viewBox="0 0 600 120" preserveAspectRatio="none" aria-hidden="true">\(grid)\
            <path class="area" d="\(line) L600 118 L0 118 Z"/><path class="line" d="\(line)"/></svg></div>
            \(axis("\(StatusFormat.span(Double(values.count) * stepSeconds)) ago", "now"))
            """
    }

    /// Draws the share of agreement by hour with its confidence band.
    static func agreement(_ buckets: [AgreementBucket], now: Double) -> HTML {
        guard let first = buckets.first else { return empty("No sure answer has been checked yet.") }
        let floor = agreementFloor(buckets)
        let span = max(6 * 3600, now - first.start)
        let start = now - span
        func x(_ bucket: AgreementBucket) -> Double {
            max(0, min(600, 600 * (min(bucket.start + bucket.seconds / 2, now) - start) / span))
        }
        func y(_ share: Double) -> Double { 2 + 116 * (1 - share) / (1 - floor) }
        let middle = buckets.map { (x: x($0), y: y($0.share ?? 1)) }
        let upper = buckets.map { (x: x($0), y: y($0.interval.upperBound)) }
        let lower = buckets.map { (x: x($0), y: y($0.interval.lowerBound)) }
        var shapes: HTML
        if buckets.count == 1 {
            shapes = """
                <path class="whisker" d="M\(number(upper[0].x)) \(number(upper[0].y)) V\(number(lower[0].y))"/>
                """
        } else {
            shapes = """
                <path class="band" d="\(path(upper)) \(path(lower.reversed(), start: "L")) Z"/>
                """
        }
        shapes = shapes + "<path class=\"line\" d=\"\(path(middle))\"/>"
        // A path of zero length with round caps is a dot that stays round when the drawing is stretched.
        let dots = HTML.joined(middle.map { "<path class=\"dot\" d=\"M\(number($0.x)) \(number($0.y)) h0\"/>" })
        return """
            <div class="chart"><span class="top">100 %</span>\
            <span class="bottom">\(NumberText.percent(floor, digits: 0))</span>\
            <svg viewBox="0 0 600 120" preserveAspectRatio="none" aria-hidden="true">\(grid)\(shapes)\(dots)</svg></div>
            \(axis("\(StatusFormat.span(span)) ago", "now"))
            """
    }

    /// Draws bars of equal width; the largest has the full height.
    static func bars(_ counts: [Int]) -> HTML {
        let largest = counts.max() ?? 0
        guard largest > 0 else { return empty("No line has been answered yet.") }
        let step = 600 / Double(counts.count)
        let bars = counts.enumerated().map { index, count -> HTML in
            let height = count == 0 ? 0 : max(1.5, 114 * Double(count) / Double(largest))
            return """
                <rect class="bar" x="\(number(Double(index) * step + 2))" y="\(number(118 - height))" \
                width="\(number(step - 4))" height="\(number(height))"/>
                """
        }
        return """
            <div class="chart"><svg viewBox="0 0 600 120" preserveAspectRatio="none" aria-hidden="true">\
            <path class="grid" d="M0 118.5 H600"/>\(HTML.joined(bars))</svg></div>
            \(axis("0", "0.5", "1"))
            """
    }

    /// The lower limit of the agreement chart: below all informative bands, so that changes are visible.
    static func agreementFloor(_ buckets: [AgreementBucket]) -> Double {
        let telling = buckets.filter { $0.asked >= 10 }
        let lowest = (telling.isEmpty ? buckets : telling).map(\.interval.lowerBound).min() ?? 0
        return min(0.9, max(0, (lowest * 10).rounded(.down) / 10))
    }

    private static let grid: HTML = "<path class=\"grid\" d=\"M0 2 H600 M0 60 H600 M0 118 H600\"/>"

    private static func axis(_ marks: String...) -> HTML {
        "<p class=\"axis\">\(HTML.joined(marks.map { "<span>\($0)</span>" as HTML }))</p>"
    }

    private static func empty(_ reason: String) -> HTML {
        "<div class=\"chart empty\"><p>\(reason)</p></div>"
    }

    /// Returns the smallest 1, 2 or 5 times a power of ten that is not below `value`.
    private static func niceTop(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return 1 }
        var unit = 1.0
        while unit * 10 <= value { unit *= 10 }
        while unit > value { unit /= 10 }
        for factor in [1.0, 1.5, 2, 3, 4, 5, 6, 8, 10] where unit * factor >= value { return unit * factor }
        return value
    }

    private static func path(_ points: [(x: Double, y: Double)], start: String = "M") -> String {
        points.enumerated().map { index, point in
            (index == 0 ? start : "L") + number(point.x) + " " + number(max(0, min(120, point.y)))
        }.joined(separator: " ")
    }

    private static func number(_ value: Double) -> String { NumberText.fixed(value, digits: 1) }
}
