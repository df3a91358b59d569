import Glibc

/// Cross-entropy of a softmax with label smoothing, as PyTorch's `cross_entropy(label_smoothing:)`.
enum TeacherLoss {
    /// The sum of the lines' losses and how many lines are right; `logits` (lines, labels) become the gradient of
    /// (sum of losses) · `scale`.
    static func softmaxCrossEntropy(
        _ logits: UnsafeMutablePointer<Float>, targets: [Int], labels: Int, smoothing: Float, scale: Float
    ) -> (loss: Double, correct: Int) {
        var loss = 0.0
        var correct = 0
        let even = smoothing / Float(labels)
        for (line, target) in targets.enumerated() {
            let row = logits + line * labels
            var best = 0
            for label in 1..<max(labels, 1) where row[label] > row[best] { best = label }
            if best == target { correct += 1 }
            let highest = row[best]
            var total: Float = 0
            for label in 0..<labels { total += exp(row[label] - highest) }
            let logTotal = highest + log(total)
            for label in 0..<labels {
                let wanted = even + (label == target ? 1 - smoothing : 0)
                loss += Double(wanted * (logTotal - row[label]))
                row[label] = scale * (exp(row[label] - logTotal) - wanted)
            }
        }
        return (loss, correct)
    }
}
