/// Metrics in Prometheus' text format, version 0.0.4. Pure; the same metrics give the same bytes.
///
/// Source: prometheus.io, "Exposition formats", text-based format.
public enum PrometheusText {
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The families in the order given, families without samples left out.
    public static func render(_ families: [MetricFamily]) -> String {
        var text = ""
        text.reserveCapacity(32_768)
        for family in families where !family.samples.isEmpty {
            text += "# HELP \(family.name) \(escaped(family.help, quotes: false))\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples {
                switch sample.value {
                case .number(let value): series(family.name, sample.labels, value, to: &text)
                case .histogram(let histogram): buckets(family.name, sample.labels, histogram, to: &text)
                }
            }
        }
        return text
    }

    private static func buckets(
        _ name: String, _ labels: [(name: String, value: String)], _ histogram: Histogram, to text: inout String
    ) {
        var total = 0
        for (index, count) in histogram.counts.enumerated() {
            total += count
            let bound = index < histogram.bounds.count ? number(histogram.bounds[index]) : "+Inf"
            series(name + "_bucket", labels + [("le", bound)], Double(total), to: &text)
        }
        series(name + "_sum", labels, histogram.sum, to: &text)
        series(name + "_count", labels, Double(total), to: &text)
    }

    private static func series(
        _ name: String, _ labels: [(name: String, value: String)], _ value: Double, to text: inout String
    ) {
        text += name
        if !labels.isEmpty {
            text += "{"
            for (index, label) in labels.enumerated() {
                if index > 0 { text += "," }
                text += "\(label.name)=\"\(escaped(label.value, quotes: true))\""
            }
            text += "}"
        }
        text += " \(number(value))\n"
    }

    /// Backslash and line end are escaped everywhere, the quote in label values only.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        // By scalars: "\r\n" is one Character.
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        // Whole numbers without a fraction up to where a double holds each of them.
        if value.rounded() == value, abs(value) < 9e15 { return String(Int(value)) }
        return "\(value)"
    }
}
