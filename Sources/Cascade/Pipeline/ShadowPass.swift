import Models

/// One worker's use of a shadow: gathers the lines that it answers, scores them, and counts. Its memory is kept from job
/// to job.
final class ShadowPass {
    private var owner: CascadeModels?
    private var scorer: (any LineScorer)?
    private var batch = LineBatch()
    private var lines: [Int] = []
    private var logits: [Float] = []

    /// Lets go of a shadow that is no longer in force.
    func keep(only models: CascadeModels?) {
        guard owner !== models else { return }
        owner = nil
        scorer = nil
    }

    /// Scores the job's lines that the shadow takes; leaves its label of each in the job's states.
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
            scorer?.score(batch, into: room)
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
