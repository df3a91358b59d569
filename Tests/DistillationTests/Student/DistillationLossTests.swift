import Distillation
import Glibc
import Testing

@Suite struct DistillationLossTests {
    private static let logits: [Float] = [0.3, -1.2, 2.1, 0.0, -0.4]
    private static let teacher: [Float] = [1.5, -0.7, 0.2, -2.4, 0.9]

    private func evaluate(
        _ loss: DistillationLoss, _ logits: [Float], label: Int32, teacher: [Float]?
    ) -> (loss: Float, gradient: [Float]) {
        var gradient = [Float](repeating: .nan, count: logits.count)
        let value = loss.evaluate(
            logits: logits, classes: logits.count, label: label, teacher: teacher, gradient: &gradient)
        return (value, gradient)
    }

    private static let losses = DistillationLoss.Kind.allCases.flatMap { kind in
        [(0, 1, 0), (0.3, 2, 0), (0.5, 0.7, 0.1), (1, 3, 0.2)].map {
            (share: Float, temperature: Float, smoothing: Float) in
            DistillationLoss(kind: kind, labelShare: share, temperature: temperature, labelSmoothing: smoothing)
        }
    }

    /// With a label and a teacher, with one of them, and with neither.
    @Test(arguments: losses) func theGradientEqualsFiniteDifferences(loss: DistillationLoss) {
        for (label, teacher) in [(2, Self.teacher), (-1, Self.teacher), (2, nil), (-1, nil)] as [(Int32, [Float]?)] {
            let gradient = evaluate(loss, Self.logits, label: label, teacher: teacher).gradient
            for index in Self.logits.indices {
                func value(_ step: Float) -> Float {
                    var moved = Self.logits
                    moved[index] += step
                    return evaluate(loss, moved, label: label, teacher: teacher).loss
                }
                let slope = (value(1e-2) - value(-1e-2)) / 2e-2
                #expect(abs(slope - gradient[index]) < 2e-3, "\(loss), label \(label), logit \(index)")
            }
        }
    }

    @Test func theDivergenceIsThatOfTheSoftenedProbabilities() {
        func softened(_ logits: [Float]) -> [Double] {
            let powers = logits.map { exp(Double($0) / 2) }
            return powers.map { $0 / powers.reduce(0, +) }
        }
        let (own, wanted) = (softened(Self.logits), softened(Self.teacher))
        let divergence = zip(own, wanted).reduce(0.0) { $0 + $1.1 * log($1.1 / $1.0) }
        let found = evaluate(DistillationLoss(kind: .kl, temperature: 2), Self.logits, label: -1, teacher: Self.teacher)
        #expect(abs(Double(found.loss) - 4 * divergence) < 1e-5)
        let same = evaluate(DistillationLoss(kind: .kl, temperature: 2), Self.teacher, label: -1, teacher: Self.teacher)
        #expect(abs(same.loss) < 1e-6 && same.gradient.allSatisfy { abs($0) < 1e-6 })
    }

    @Test func aLineWithOnlyALabelOrOnlyATeacherCountsFully() {
        let loss = DistillationLoss(kind: .mse, labelShare: 0.25)
        let label = evaluate(loss, Self.logits, label: 0, teacher: nil).loss
        let teacher = evaluate(loss, Self.logits, label: -1, teacher: Self.teacher).loss
        let both = evaluate(loss, Self.logits, label: 0, teacher: Self.teacher).loss
        #expect(abs(both - (0.25 * label + 0.75 * teacher)) < 1e-5)
        #expect(evaluate(loss, Self.logits, label: -1, teacher: nil).loss == 0)
    }
}
