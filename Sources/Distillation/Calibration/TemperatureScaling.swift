import Glibc

/// A positive divisor of all logits that makes confidence a probability (Guo et al. 2017, section 4.2). It changes no
/// prediction.
public struct TemperatureScaling: Sendable, Equatable {
    /// 1 if there is nothing to fit.
    public let temperature: Float
    /// Mean negative log-likelihood (nats) at temperature 1 and at `temperature`, on the lines it was fitted on.
    public let lossBefore: Double
    public let lossAfter: Double

    /// A temperature outside of these bounds means that the lines can't determine it (all right, or no better than
    /// chance).
    public static let lowestTemperature = 0.05
    public static let highestTemperature = 20.0

    /// The temperature with the least negative log-likelihood of the labels.
    ///
    /// The loss is convex in β = 1/T; its slope, mean of E_p[z] − z_label, rises with β. The slope's root is bracketed
    /// between the bounds and found by Newton steps that fall back to halving. If the slope has no root in between, the
    /// nearer bound is taken.
    ///
    /// - Parameters:
    ///   - logits: row-major (n, labelCount). Lines with a logit that isn't finite are left out.
    ///   - labels: (n), indices, or −1: left out.
    public static func fit(logits: [Float], labelCount: Int, labels: [Int32]) -> TemperatureScaling {
        precondition(logits.count == labels.count * labelCount, "\(logits.count) logits for \(labels.count) lines")
        let problem = Problem(logits: logits, labelCount: labelCount, labels: labels)
        let unfitted = problem.evaluate(1)
        guard problem.hasSpread else {
            return TemperatureScaling(temperature: 1, lossBefore: unfitted.loss, lossAfter: unfitted.loss)
        }
        let beta = problem.minimum(from: 1 / highestTemperature, to: 1 / lowestTemperature)
        let temperature = Float(1 / beta)
        return TemperatureScaling(
            temperature: temperature, lossBefore: unfitted.loss,
            lossAfter: problem.evaluate(1 / Double(temperature)).loss)
    }
}

/// The loss as a function of β on the usable lines, with each line's logits shifted so that its label's is 0.
private struct Problem {
    private var shifted: [Double] = []
    private let labelCount: Int
    private(set) var hasSpread = false

    init(logits: [Float], labelCount: Int, labels: [Int32]) {
        self.labelCount = labelCount
        shifted.reserveCapacity(logits.count)
        for (line, label) in labels.enumerated() where label >= 0 && Int(label) < labelCount {
            let row = logits[line * labelCount..<(line + 1) * labelCount]
            guard row.allSatisfy(\.isFinite) else { continue }
            let own = Double(logits[line * labelCount + Int(label)])
            for value in row {
                shifted.append(Double(value) - own)
                if Double(value) != own { hasSpread = true }
            }
        }
    }

    /// Mean loss, slope and curvature at β; all 0 without lines.
    func evaluate(_ beta: Double) -> (loss: Double, slope: Double, curvature: Double) {
        var loss = 0.0
        var slope = 0.0
        var curvature = 0.0
        for row in stride(from: 0, to: shifted.count, by: labelCount) {
            let line = shifted[row..<row + labelCount]
            let peak = beta * (line.max() ?? 0)
            var sum = 0.0
            var first = 0.0
            var second = 0.0
            for value in line {
                let weight = exp(beta * value - peak)
                sum += weight
                first += weight * value
                second += weight * value * value
            }
            let mean = first / sum
            loss += log(sum) + peak
            slope += mean
            curvature += second / sum - mean * mean
        }
        let count = Double(max(shifted.count / max(labelCount, 1), 1))
        return (loss / count, slope / count, curvature / count)
    }

    func minimum(from lowest: Double, to highest: Double) -> Double {
        var low = lowest
        var high = highest
        if evaluate(low).slope >= 0 { return low }
        if evaluate(high).slope <= 0 { return high }
        var beta = 1.0
        for _ in 0..<100 {
            let (_, slope, curvature) = evaluate(beta)
            if slope == 0 { return beta }
            if slope > 0 { high = beta } else { low = beta }
            let newton = beta - slope / curvature
            let next = newton.isFinite && newton > low && newton < high ? newton : (low + high) / 2
            if abs(next - beta) <= 1e-12 * beta { return next }
            beta = next
        }
        return beta
    }
}

/// Calibration measured on lines outside of the temperature's fit, though all lines are used for both.
///
/// The lines are split in two; each half's confidences use the temperature fitted on the other half (cross-fitting, as
/// in Chernozhukov et al. 2018, section 3, for two folds). The student itself gets the temperature fitted on all lines.
public enum CrossFitting {
    /// The expected calibration error over all lines.
    ///
    /// - Parameters:
    ///   - logits: row-major (n, labelCount), finite.
    ///   - labels: (n), indices; no label unknown.
    public static func calibrationError(
        logits: [Float], labelCount: Int, labels: [Int32]
    ) -> ExpectedCalibrationError {
        precondition(logits.count == labels.count * labelCount, "\(logits.count) logits for \(labels.count) lines")
        var confidences = [Float](repeating: 0, count: labels.count)
        var correct = [Bool](repeating: false, count: labels.count)
        func rows(_ indices: [Int]) -> [Float] {
            indices.flatMap { logits[$0 * labelCount..<($0 + 1) * labelCount] }
        }
        // Alternating lines: in any order of the lines, both halves have lines from all parts.
        let halves = (0..<2).map { half in labels.indices.filter { $0 % 2 == half } }
        for half in 0..<2 {
            let other = halves[1 - half]
            let fit = TemperatureScaling.fit(
                logits: rows(other), labelCount: labelCount, labels: other.map { labels[$0] })
            let own = halves[half]
            let predictions = Predictions(logits: rows(own), labelCount: labelCount, temperature: fit.temperature)
            let hits = predictions.correct(own.map { labels[$0] })
            for (place, line) in own.enumerated() {
                confidences[line] = predictions.confidences[place]
                correct[line] = hits[place]
            }
        }
        return ExpectedCalibrationError(confidences: confidences, correct: correct)
    }
}
