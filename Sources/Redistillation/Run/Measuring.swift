import Diagnostics
import Distillation
import Glibc
import Models
import Tensors

/// Measures students as they would serve: from their files, by the fast path.
struct Measuring {
    let holdout: DataSet
    let heldOut: DataSet
    let threads: Int

    /// Rounds of the speed's comparison, of which the best counts.
    private static let rounds = 7
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

    /// Lines a second of both on one thread: by the processor's time, not the clock's, and the best of several turns,
    /// since a loaded daemon runs beside.
    func speeds(
        _ one: any LineClassifier, _ other: any LineClassifier
    ) throws(UnderstudyError) -> (one: Double, other: Double) {
        var evaluator = Evaluator()
        evaluator.latencyLines = 0
        let repeats = max(1, Self.linesOfRound / max(holdout.count, 1))
        func speed(_ student: any LineClassifier) throws(UnderstudyError) -> Double {
            let begun = Self.processorSeconds
            for _ in 0..<repeats { _ = try evaluator.logits(of: holdout, by: student) }
            return Double(repeats * holdout.count) / max(Self.processorSeconds - begun, 1e-9)
        }
        var speeds: [(one: Double, other: Double)] = []
        // The first round warms both and isn't counted.
        for _ in 0...Self.rounds { speeds.append((try speed(one), try speed(other))) }
        let warm = speeds.dropFirst()
        return (warm.map(\.one).max() ?? 0, warm.map(\.other).max() ?? 0)
    }

    /// What this process has used of the processor.
    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
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
