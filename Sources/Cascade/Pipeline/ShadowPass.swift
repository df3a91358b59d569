import Diagnostics
import Models
import Streams

/// A candidate in shadow mode: it classifies a share of the lines. Its answers are counted but not emitted.
public struct ShadowStudent: Sendable {
    public let classifier: any LineClassifier
    /// The candidate's temperature; see `Calibration`.
    public let temperature: Float
    /// Share of the lines that it classifies, 0 … 1.
    public let share: Double
    /// The student's index of each of the candidate's labels.
    let positions: [Int]
    private let bound: UInt64

    /// - Parameter labels: the student's labels.
    /// - Throws: `invalidData` if the label sets differ.
    public init(
        _ classifier: any LineClassifier, temperature: Float, share: Double, labels: [String]
    ) throws(UnderstudyError) {
        self.classifier = classifier
        self.temperature = temperature
        self.share = share
        positions = try LabelMap(student: classifier.labels, teacher: labels).positions
        bound = share >= 1 ? .max : UInt64(max(0, share) * 0x1p64)
    }

    /// Returns whether the candidate classifies a line. The choice depends only on the line's id, and on other bits
    /// than that of audits.
    func takes(_ id: UInt64) -> Bool { id.byteSwapped < bound }
}

/// One worker's state for a shadow: it gathers the lines, scores them and counts. Its memory is reused between jobs.
final class ShadowPass {
    private var owner: CascadeModels?
    private var scorer: (any LineScorer)?
    private var batch = LineBatch()
    private var lines: [Int] = []
    private var logits: [Float] = []

    /// Releases a shadow that is no longer in use.
    func keep(only models: CascadeModels?) {
        guard owner !== models else { return }
        owner = nil
        scorer = nil
    }

    /// Scores the job's lines that the shadow takes, and stores its labels in the job's states.
    func run(_ job: CascadeJob, _ models: CascadeModels, _ shadow: ShadowStudent) {
        batch.removeAll()
        lines.removeAll(keepingCapacity: true)
        for line in 0..<job.lines.count where job.states[line].student != nil && shadow.takes(job.states[line].id) {
            job.withText(line) { batch.append($0) }
            lines.append(line)
        }
        guard !lines.isEmpty else { return }
        if owner !== models {
            owner = models
            scorer = shadow.classifier.makeScorer()
        }
        let labels = shadow.positions.count
        let count = lines.count * labels
        while logits.count < count { logits.append(0) }
        logits.withUnsafeMutableBufferPointer { all in
            let room = UnsafeMutableBufferPointer(rebasing: all[..<count])
            do throws(UnderstudyError) {
                try scorer?.score(batch, into: room, deadline: nil)
            } catch {
                // Its lines count as broken.
                room.update(repeating: .nan)
            }
            for (row, line) in lines.enumerated() {
                let values = UnsafeBufferPointer(rebasing: room[(row * labels)..<((row + 1) * labels)])
                guard let verdict = Verdict(values, temperature: shadow.temperature) else {
                    job.tally.shadow.broken += 1
                    continue
                }
                let label = shadow.positions[verdict.label]
                job.states[line].shadow = Int32(label)
                job.tally.shadow.lines += 1
                if job.states[line].student?.label == label { job.tally.shadow.alike += 1 }
            }
        }
    }
}
