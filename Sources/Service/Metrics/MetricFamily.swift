/// A metric's name, what it means, and its values: one block of the exposition format.
public struct MetricFamily: Sendable, Equatable {
    public enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    /// One series. Labels stand in the order in which they are written.
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
