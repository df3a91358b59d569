import Diagnostics
import Distillation
import Glibc
import Models
import Tensors

/// Measures students as they serve: loaded from their files, on the fast path.
struct Measuring {
    let holdout: DataSet
    let heldOut: DataSet
    let threads: Int

    /// Rounds of the speed comparison; the best one counts.
    private static let rounds = 7
    /// Minimum number of lines per round; the holdout is repeated to reach it.
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

    /// Returns the lines per second of both students on one thread. It measures processor time and takes the best of
    /// several rounds, because the daemon may load the machine.
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
        // The first round is a warm-up and isn't counted.
        for _ in 0...Self.rounds { speeds.append((try speed(one), try speed(other))) }
        let warm = speeds.dropFirst()
        return (warm.map(\.one).max() ?? 0, warm.map(\.other).max() ?? 0)
    }

    /// Processor time used by this process.
    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Returns the size of the candidate's file in bytes.
    static func bytes(directory: String) throws(UnderstudyError) -> Int {
        try MappedFile(path: "\(directory)/\(ModelDirectory.weights)").count
    }

    private var evaluator: Evaluator {
        var evaluator = Evaluator()
        evaluator.threads = threads
        return evaluator
    }
}
