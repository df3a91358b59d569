import Diagnostics
import Pages

/// The status page's charts.
enum StatusChart {
    /// Draws a line over a shaded area, from 0 to the largest value. The last value is the current one.
    static func area(_ values: [Double], stepSeconds: Double) -> HTML {
        guard values.count > 1 else { return StretchedChart.empty("No data for a full minute yet.") }
        let top = StretchedChart.niceTop(values.max() ?? 0)
        return StretchedChart.framed(
            StretchedChart.area(values, top: top), top: StatusFormat.rate(top),
            axis: ["\(StatusFormat.span(Double(values.count) * stepSeconds)) ago", "now"])
    }

    /// Draws the share of agreement by hour with its confidence band.
    static func agreement(_ buckets: [AgreementBucket], now: Double) -> HTML {
        guard let first = buckets.first else { return StretchedChart.empty("No line has been audited yet.") }
        let floor = agreementFloor(buckets)
        let span = max(6 * 3600, now - first.start)
        let start = now - span
        func points(_ share: (AgreementBucket) -> Double) -> [StretchedChart.Point] {
            buckets.map { bucket in
                let x = 600 * (min(bucket.start + bucket.seconds / 2, now) - start) / span
                return (x: max(0, min(600, x)), y: 2 + 116 * (1 - share(bucket)) / (1 - floor))
            }
        }
        let shapes = StretchedChart.band(
            points { $0.share ?? 1 }, upper: points { $0.interval.upperBound }, lower: points { $0.interval.lowerBound }
        )
        return StretchedChart.framed(
            shapes, top: "100 %", bottom: NumberText.percent(floor, digits: 0),
            axis: ["\(StatusFormat.span(span)) ago", "now"])
    }

    /// Draws bars of equal width; the largest has the full height.
    static func bars(_ counts: [Int]) -> HTML {
        guard counts.contains(where: { $0 > 0 }) else {
            return StretchedChart.empty("No line has been answered yet.")
        }
        return StretchedChart.framed(
            StretchedChart.bars(counts), grid: StretchedChart.floor, axis: ["0", "0.5", "1"])
    }

    /// The lower limit of the agreement chart: below all informative bands, so that changes are visible.
    static func agreementFloor(_ buckets: [AgreementBucket]) -> Double {
        let telling = buckets.filter { $0.asked >= 10 }
        let lowest = (telling.isEmpty ? buckets : telling).map(\.interval.lowerBound).min() ?? 0
        return min(0.9, max(0, (lowest * 10).rounded(.down) / 10))
    }
}
