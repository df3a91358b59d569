import Diagnostics
import Models
import Streams

/// One thread's use of the teacher: its scorer, and the results of a pass until the board takes them over.
final class TeacherPass {
    private var source: TeacherSource?
    private var scorer: (any LineScorer)?
    private var batch = LineBatch()
    private var raw: UnsafeMutablePointer<Float>
    private(set) var logits: UnsafeMutablePointer<Float>
    private var capacity = 0
    private let lines: Int
    /// What became of each line of the last pass.
    private(set) var states: [CascadeJob.Teacher] = []

    init(lines: Int) {
        self.lines = lines
        raw = .allocate(capacity: 1)
        logits = .allocate(capacity: 1)
        states.reserveCapacity(lines)
    }

    deinit {
        raw.deallocate()
        logits.deallocate()
    }

    /// Lets go of a teacher that is another than `current`.
    func keep(only current: TeacherSource?) {
        if source !== current {
            source = nil
            scorer = nil
        }
    }

    /// Makes this thread's scorer of the teacher; true if it is new.
    func load(_ teacher: TeacherSource?) throws(UnderstudyError) -> Bool {
        if source === teacher, scorer != nil { return false }
        guard let teacher else { throw UnderstudyError(.internalFailure, "lines wait for a teacher that isn't there") }
        scorer = try teacher.classifier().makeScorer()
        source = teacher
        return true
    }

    /// No pass: all lines end in the same way.
    func skip(_ count: Int, _ state: CascadeJob.Teacher) {
        states.removeAll(keepingCapacity: true)
        for _ in 0..<count { states.append(state) }
    }

    /// Scores the lines; false if no line of theirs got finite logits. Loaded before.
    func run(_ deferred: [CascadeBoard.DeferredLine], _ models: CascadeModels) -> Bool {
        guard let map = models.labelMap, let scorer else { return false }
        let labels = map.positions.count
        if lines * labels > capacity {
            capacity = lines * labels
            raw.deallocate()
            logits.deallocate()
            raw = .allocate(capacity: capacity)
            logits = .allocate(capacity: capacity)
        }
        batch.removeAll()
        for line in deferred { line.job.withText(line.line) { batch.append($0) } }
        scorer.score(batch, into: UnsafeMutableBufferPointer(start: raw, count: deferred.count * labels))
        states.removeAll(keepingCapacity: true)
        var usable = 0
        for index in 0..<deferred.count {
            let row = logits + index * labels
            for label in 0..<labels { row[label] = raw[index * labels + map.positions[label]] }
            if let verdict = Verdict(UnsafeBufferPointer(start: row, count: labels), temperature: 1) {
                states.append(.answered(Answer.Opinion(label: verdict.label, confidence: verdict.confidence)))
                usable += 1
            } else {
                states.append(.broken)
            }
        }
        return usable > 0
    }
}
