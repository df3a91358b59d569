import Diagnostics
import Distillation
import Models
import Tensors

/// Measures students as they would serve: from their files, by the fast path.
struct Measuring {
    let holdout: DataSet
    let heldOut: DataSet
    let threads: Int

    /// Rounds of the speed's comparison, of which the median counts.
    private static let rounds = 5
    /// Lines of one round; the holdout is read again and again until there are so many.
    private static let linesOfRound = 4000

    func logits(_ student: any LineClassifier) throws(UnderstudyError) -> [Float] {
        try evaluator.logits(of: holdout, by: student)
    }

    func labels(ofHeldOut student: any LineClassifier) throws(UnderstudyError) -> [Int32] {
        guard !heldOut.isEmpty else { return [] }
        return Predictions(
            logits: try evaluator.logits(of: heldOut, by: student), labelCount: student.labels.count
        ).indices
    }

    /// Lines a second of both on one thread, in turns, so that what else the machine does hits both; medians.
    func speeds(
        _ one: any LineClassifier, _ other: any LineClassifier
    ) throws(UnderstudyError) -> (one: Double, other: Double) {
        var evaluator = Evaluator()
        evaluator.latencyLines = 0
        let repeats = max(1, Self.linesOfRound / max(holdout.count, 1))
        func speed(_ student: any LineClassifier) throws(UnderstudyError) -> Double {
            let begun = ContinuousClock.now
            for _ in 0..<repeats { _ = try evaluator.logits(of: holdout, by: student) }
            return Double(repeats * holdout.count) / max(begun.duration(to: .now) / .seconds(1), 1e-9)
        }
        var speeds: [(one: Double, other: Double)] = []
        // The first round warms both and isn't counted.
        for _ in 0...Self.rounds { speeds.append((try speed(one), try speed(other))) }
        func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
        return (median(speeds.dropFirst().map(\.one)), median(speeds.dropFirst().map(\.other)))
    }

    /// The candidate's file, in bytes.
    static func bytes(directory: String) throws(UnderstudyError) -> Int {
        try MappedFile(path: "\(directory)/\(ModelDirectory.weights)").count
    }

    private var evaluator: Evaluator {
        var evaluator = Evaluator()
        evaluator.threads = threads
        return evaluator
    }
}
