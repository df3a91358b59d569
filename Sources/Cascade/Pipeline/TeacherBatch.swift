import Diagnostics
import Models
import Streams

/// One thread's state for the teacher: its scorer, and the results of a pass until the board takes them.
final class TeacherBatch {
    private var source: TeacherSource?
    private var scorer: (any LineScorer)?
    private var texts = LineBatch()
    private var raw: UnsafeMutablePointer<Float>
    private(set) var logits: UnsafeMutablePointer<Float>
    private var capacity = 0
    private let lines: Int
    /// The outcome of each line of the last pass.
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

    /// Releases a teacher other than `current`.
    func keep(only current: TeacherSource?) {
        if source !== current {
            source = nil
            scorer = nil
        }
    }

    /// Makes this thread's scorer of the teacher. Returns true if it is new.
    func load(_ teacher: TeacherSource?) throws(UnderstudyError) -> Bool {
        if source === teacher, scorer != nil { return false }
        guard let teacher else { throw UnderstudyError(.internalFailure, "deferred lines without a teacher") }
        scorer = try teacher.classifier().makeScorer()
        source = teacher
        return true
    }

    /// Gives all lines the same outcome without a pass.
    func skip(_ count: Int, _ why: CascadeTally.Skip) {
        states.removeAll(keepingCapacity: true)
        for _ in 0..<count { states.append(.skipped(why)) }
    }

    /// Copies the texts of `deferred`, without lines that have been answered meanwhile. Afterwards their jobs may be
    /// reused at any time. Returns the time when the last of the lines was deferred; 0 if there are none.
    func collect(_ deferred: inout [DeferredLine], _ board: CascadeBoard) -> UInt64 {
        texts.removeAll()
        return board.monitor.withLock { _ in
            deferred.removeAll(where: \.isExpired)
            for line in deferred { line.job.withText(line.line) { texts.append($0) } }
            return deferred.reduce(0) { max($0, $1.job.deferredAt) }
        }
    }

    /// Scores the collected lines. Returns false if none has finite logits. `load` must have been called. Throws the
    /// teacher's error, in which case no line has an outcome.
    func run(_ models: CascadeModels, deadline: UInt64?) throws(UnderstudyError) -> Bool {
        states.removeAll(keepingCapacity: true)
        if texts.count == 0 { return true }
        guard let map = models.labelMap, let scorer else { return false }
        let labels = map.positions.count
        if lines * labels > capacity {
            capacity = lines * labels
            raw.deallocate()
            logits.deallocate()
            raw = .allocate(capacity: capacity)
            logits = .allocate(capacity: capacity)
        }
        try scorer.score(
            texts, into: UnsafeMutableBufferPointer(start: raw, count: texts.count * labels), deadline: deadline)
        var usable = 0
        for index in 0..<texts.count {
            let row = logits + index * labels
            for label in 0..<labels { row[label] = raw[index * labels + map.positions[label]] }
            if let verdict = Verdict(UnsafeBufferPointer(start: row, count: labels), temperature: 1) {
                states.append(.answered(verdict))
                usable += 1
            } else {
                states.append(.broken)
            }
        }
        return usable > 0
    }
}
