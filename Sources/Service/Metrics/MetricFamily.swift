/// A metric's name, help text and values: one block of the exposition format.
public struct MetricFamily: Sendable, Equatable {
    public enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    /// One series. Labels are written in this order.
    public struct Sample: Sendable, Equatable {
        public enum Value: Sendable, Equatable {
            case number(Double)
            case histogram(Histogram)
        }

        public var labels: [(name: String, value: String)]
        public var value: Value

        public static func == (left: Sample, right: Sample) -> Bool {
            left.value == right.value && left.labels.elementsEqual(right.labels, by: ==)
        }
    }

    public var name: String
    public var help: String
    public var kind: Kind
    public var samples: [Sample]

    public init(_ kind: Kind, _ name: String, _ help: String) {
        self.kind = kind
        self.name = name
        self.help = help
        samples = []
    }

    public mutating func add(_ value: Double, _ labels: (name: String, value: String)...) {
        samples.append(Sample(labels: labels, value: .number(value)))
    }

    public mutating func add(_ value: Int, _ labels: (name: String, value: String)...) {
        samples.append(Sample(labels: labels, value: .number(Double(value))))
    }

    public mutating func add(_ histogram: Histogram, _ labels: (name: String, value: String)...) {
        samples.append(Sample(labels: labels, value: .histogram(histogram)))
    }
}

/// Renders metrics in Prometheus' text format, version 0.0.4. The output is deterministic.
///
/// Source: prometheus.io, "Exposition formats", text-based format.
public enum PrometheusText {
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Renders the families in the given order, without those that have no samples.
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

    /// Backslash and line end are always escaped, quotes only in label values.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        // By scalars, because "\r\n" is one Character.
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
        // Integers are printed without a fraction up to the size that a double represents exactly.
        if value.rounded() == value, abs(value) < 9e15 { return String(Int(value)) }
        return "\(value)"
    }
}
