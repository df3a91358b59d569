import Glibc
import Models

/// Decides on validation lines from which confidence on the early exit's answer may stand for the biLSTM's.
public struct ExitThreshold: Sendable, Equatable {
    public var exit: EarlyExit
    /// Share of the validation lines that exit.
    public var share: Double
    /// Logits (n, C) of the student with this exit.
    public var logits: [Float]

    /// The share of all lines' answers that exiting may cost.
    static let answerTolerance = 0.001
    /// What exiting may add to the mean negative log-likelihood (nats): a confidence that says less about a line makes
    /// the wrong lines go to the teacher, even where the answers are as good.
    static let likelihoodTolerance = 0.01

    /// The lowest threshold from a half up at which exiting costs no more than both; nil where there is none, or no line
    /// would exit.
    ///
    /// - Parameters:
    ///   - exit, student: logits (n, C) of the two.
    ///   - labels: (n), −1 where unknown: such lines decide nothing.
    public static func fit(
        exit: [Float], student: [Float], labels: [Int32], labelCount: Int
    ) -> ExitThreshold? {
        let known = labels.indices.filter { labels[$0] >= 0 }
        guard !known.isEmpty else { return nil }
        func rows(_ values: [Float]) -> [Float] {
            known.flatMap { values[$0 * labelCount..<($0 + 1) * labelCount] }
        }
        let truth = known.map { labels[$0] }
        let exitRows = rows(exit)
        let studentRows = rows(student)
        let own = TemperatureScaling.fit(logits: exitRows, labelCount: labelCount, labels: truth).temperature
        let other = TemperatureScaling.fit(logits: studentRows, labelCount: labelCount, labels: truth).temperature
        let sure = Predictions(logits: exitRows, labelCount: labelCount, temperature: own)
        let right = sure.correct(truth)
        let plain = Predictions(logits: studentRows, labelCount: labelCount, temperature: other)
        let studentRight = plain.correct(truth)
        let exitTrue = trueProbabilities(sure, truth)
        let studentTrue = trueProbabilities(plain, truth)
        let scale = other / own
        for percent in stride(from: 50, through: 98, by: 2) {
            let threshold = Float(percent) / 100
            let exiting = known.indices.filter { sure.confidences[$0] >= threshold }
            let loss = exiting.reduce(0) { $0 + (studentRight[$1] ? 1 : 0) - (right[$1] ? 1 : 0) }
            guard !exiting.isEmpty, Double(loss) <= answerTolerance * Double(known.count) else { continue }
            let doubt = exiting.reduce(0.0) {
                $0 + Double(log(studentTrue[$1])) - Double(log(exitTrue[$1]))
            }
            guard doubt <= likelihoodTolerance * Double(known.count) else { continue }
            var logits = student
            for place in exiting {
                let row = known[place] * labelCount
                for label in 0..<labelCount { logits[row + label] = scale * exit[row + label] }
            }
            return ExitThreshold(
                exit: EarlyExit(threshold: threshold, scale: scale),
                share: Double(exiting.count) / Double(known.count), logits: logits)
        }
        return nil
    }

    /// What each line's own label was given, kept from zero.
    private static func trueProbabilities(_ predictions: Predictions, _ truth: [Int32]) -> [Float] {
        truth.enumerated().map { line, label in
            max(predictions.probabilities[line * predictions.labelCount + Int(label)], 1e-6)
        }
    }
}
