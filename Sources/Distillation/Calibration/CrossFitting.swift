/// Calibration measured on lines that the temperature wasn't fitted on, though all lines are used for both.
///
/// The lines are cut in two; each half's confidences come from the temperature that the other half gives (cross-fitting,
/// as in Chernozhukov et al. 2018, section 3, for two folds). The student itself gets the temperature of all lines.
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
        // Every other line: whatever order they came in, both halves have lines from all over.
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
