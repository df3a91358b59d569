import Glibc

/// A model's prediction for one line, computed from its logits.
public struct Verdict: Sendable, Equatable {
    /// The label with the highest logit; the first one among equals.
    public var label: Int
    /// Probability of `label`.
    public var confidence: Float
    /// `confidence` minus the probability of the second label; 1 if there is only one label.
    public var margin: Float
    /// Normalised entropy of the probabilities, entropy / ln(labels): 0 (certain) … 1 (uniform).
    public var entropy: Float

    public init(label: Int, confidence: Float, margin: Float, entropy: Float) {
        self.label = label
        self.confidence = confidence
        self.margin = margin
        self.entropy = entropy
    }

    /// Computes the softmax of `logits` (labels) over `temperature`. Returns nil if a logit isn't finite.
    public init?(_ logits: UnsafeBufferPointer<Float>, temperature: Float) {
        guard let first = logits.first, first.isFinite else { return nil }
        var best = 0
        var highest = first
        var second = -Float.infinity
        for index in 1..<max(logits.count, 1) {
            let logit = logits[index]
            guard logit.isFinite else { return nil }
            if logit > highest {
                second = highest
                highest = logit
                best = index
            } else if logit > second {
                second = logit
            }
        }
        // With e = exp(x - max)/T, H = ln Σe − Σ e·ln(e) / Σe. Doubles keep huge logits from overflowing.
        let scale = 1 / Double(temperature)
        var sum = 0.0
        var weighted = 0.0
        for logit in logits {
            let shifted = (Double(logit) - Double(highest)) * scale
            let power = exp(shifted)
            sum += power
            if power > 0 { weighted += power * shifted }
        }
        label = best
        confidence = Float(1 / sum)
        if logits.count > 1 {
            margin = Float((1 - exp((Double(second) - Double(highest)) * scale)) / sum)
            let nats = log(sum) - weighted / sum
            entropy = Float(min(1, max(0, nats / log(Double(logits.count)))))
        } else {
            margin = 1
            entropy = 0
        }
    }
}
