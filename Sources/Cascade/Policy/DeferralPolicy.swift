import Diagnostics
import Streams

/// Defers lines with a certainty below a fixed threshold.
public struct DeferralPolicy: Sendable, Equatable {
    /// The measure of certainty, 0 … 1.
    public enum Measure: String, Sendable, CaseIterable {
        /// Probability of the best label.
        case confidence
        /// The best label's probability minus the second's.
        case margin
        /// 1 − entropy / maximum entropy of the probabilities.
        case entropy

        public init(_ name: String) throws(UnderstudyError) {
            guard let measure = Measure(rawValue: name) else {
                let names = Self.allCases.map(\.rawValue).joined(separator: ", ")
                throw UnderstudyError(.usage, "unknown deferral policy '\(name)'; use one of \(names)")
            }
            self = measure
        }

        /// Returns the certainty by this measure, 0 … 1.
        public func certainty(of verdict: Verdict) -> Float {
            switch self {
            case .confidence: verdict.confidence
            case .margin: verdict.margin
            case .entropy: 1 - verdict.entropy
            }
        }
    }

    public let measure: Measure
    /// 0 defers no line, 1 defers every line.
    public let threshold: Float

    /// Refuses a threshold outside 0 … 1.
    public init(_ measure: Measure, below threshold: Float) throws(UnderstudyError) {
        guard threshold >= 0, threshold <= 1 else {
            throw UnderstudyError(
                .usage,
                "the deferral threshold is \(threshold); it must be from 0 (defer no line) to 1 (defer every line)")
        }
        self.measure = measure
        self.threshold = threshold
    }

    /// Defers no line.
    public static let never = DeferralPolicy(measure: .confidence, threshold: 0)

    private init(measure: Measure, threshold: Float) {
        self.measure = measure
        self.threshold = threshold
    }

    var asksAboutAll: Bool { threshold >= 1 }
    public var neverAsks: Bool { threshold <= 0 }

    /// Returns the student's certainty, 0 … 1.
    public func certainty(_ verdict: Verdict) -> Float { measure.certainty(of: verdict) }

    /// Returns whether to defer the line.
    public func defers(_ verdict: Verdict) -> Bool {
        if neverAsks { return false }
        return asksAboutAll || certainty(verdict) < threshold
    }
}
