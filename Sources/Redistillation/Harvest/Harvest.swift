import Distillation
import Models
import Store

/// What a run may learn from the disagreement log.
///
/// Of rows with the same text the newest counts, and of those nearly the same too; a line of the holdout never does. A
/// line is kept for measuring or learnt from by a hash of its letters, so that it stays on its side in all runs.
public struct Harvest {
    /// Longer lines are no headlines, and would cost as much as hundreds of them.
    static let mostBytes = 4096

    public struct Outcome {
        /// Rows to learn from: labels are humans', unknown where none looked.
        public var learnt: DataSet
        /// Rows kept for measuring, likewise.
        public var heldOut: DataSet
        /// The teacher's logits in the student's order, by the text's hash, as far as the present teacher gave them.
        public var known: [UInt64: [Float]]
        /// The label that the log has from the teacher, by the text's hash, whichever teacher it was.
        public var teacherLabels: [UInt64: Int32]
        /// Texts that a human has labelled.
        public var trusted: Set<UInt64>
        /// Lines to learn from by label: the human's, else the teacher's.
        public var perLabel: [Int]
        public var counts: HarvestCounts
        /// Times of the first and the last row, microseconds since 1970.
        public var window: (first: Int64, last: Int64)?
    }

    private struct Line {
        var text: String
        var hash: UInt64
        var human: Int32
        var teacher: Int32
        var logits: [Float]?
        var time: Int64
    }

    private let labels: [String]
    private let heldOutShare: Double
    private let teacherFingerprint: String
    private let isTeacherTrusted: (DisagreementRow) -> Bool
    private let holdout: NearDuplicateIndex
    private var overlapping = Set<Int>()
    private var counts = HarvestCounts()
    private var lines: [UInt64: Line] = [:]
    private var order: [UInt64] = []
    private var orders: [[String]: [Int]?] = [:]

    /// - Parameters:
    ///   - labels: the student's, in its order.
    ///   - knowsTeacher: whether a row's logits, whose fingerprint isn't known, are the present teacher's.
    public init(
        labels: [String], holdout: DataSet, heldOutShare: Double, teacherFingerprint: String,
        knowsTeacher: @escaping (DisagreementRow) -> Bool = { _ in false }
    ) {
        self.labels = labels
        self.heldOutShare = heldOutShare
        self.teacherFingerprint = teacherFingerprint
        isTeacherTrusted = knowsTeacher
        var index = NearDuplicateIndex()
        for line in 0..<holdout.count { index.insert(holdout.text(line)) }
        self.holdout = index
    }

    /// Takes a row in; rows come oldest first.
    public mutating func add(_ row: DisagreementRow) {
        counts.read += 1
        guard !row.text.isEmpty, row.text.utf8.count <= Self.mostBytes,
            row.teacherLogits.count == row.labels.count, row.teacherLogits.allSatisfy(\.isFinite)
        else {
            counts.unusable += 1
            return
        }
        guard let columns = columns(of: row.labels), let teacher = labels.firstIndex(of: row.teacherLabel) else {
            counts.otherLabels += 1
            return
        }
        if let match = holdout.match(row.text) {
            counts.inHoldout += 1
            overlapping.insert(match)
            return
        }
        let isPresent =
            row.teacherFingerprint == teacherFingerprint
            || (row.teacherFingerprint.isEmpty && isTeacherTrusted(row))
        if !isPresent { counts.otherTeacher += 1 }
        let hash = StableHash.hash(row.text)
        var line = Line(
            text: row.text, hash: hash, human: row.humanLabel.flatMap(labels.firstIndex(of:)).map(Int32.init) ?? -1,
            teacher: Int32(teacher), logits: isPresent ? columns.map { row.teacherLogits[$0] } : nil, time: row.time)
        if let before = lines[hash] {
            counts.duplicates += 1
            // A human's word outlives a newer row without one.
            if line.human < 0 { line.human = before.human }
            line.logits = line.logits ?? before.logits
        } else {
            order.append(hash)
        }
        lines[hash] = line
    }

    /// `damaged` rows couldn't be given to `add`.
    public func finish(damaged: Int = 0) -> Outcome {
        var counts = counts
        counts.damaged = damaged
        counts.overlappingHoldoutLines = overlapping.count
        // The newest of those that are nearly the same; one that a human has labelled before all others.
        let newest = order.reversed().compactMap { lines[$0] }
        var chosen: [Line] = []
        var index = NearDuplicateIndex()
        for line in newest.filter({ $0.human >= 0 }) + newest.filter({ $0.human < 0 }) {
            guard index.match(line.text) == nil else {
                counts.nearDuplicates += 1
                continue
            }
            index.insert(line.text)
            chosen.append(line)
        }
        let heldOut = chosen.filter { isHeldOut($0.text) }
        let learnt = chosen.filter { !isHeldOut($0.text) }
        return outcome(learnt: learnt, heldOut: heldOut, counts)
    }

    private func outcome(learnt: [Line], heldOut: [Line], _ counts: HarvestCounts) -> Outcome {
        var counts = counts
        counts.humanLabels = (learnt + heldOut).count { $0.human >= 0 }
        counts.learnt = learnt.count
        counts.heldOut = heldOut.count
        var perLabel = [Int](repeating: 0, count: labels.count)
        for line in learnt { perLabel[Int(line.human >= 0 ? line.human : line.teacher)] += 1 }
        var result = Outcome(
            learnt: dataSet(learnt), heldOut: dataSet(heldOut), known: [:], teacherLabels: [:], trusted: [],
            perLabel: perLabel, counts: counts)
        for line in learnt + heldOut {
            result.known[line.hash] = line.logits
            result.teacherLabels[line.hash] = line.teacher
            if line.human >= 0 { result.trusted.insert(line.hash) }
        }
        let times = (learnt + heldOut).map(\.time)
        if let first = times.min(), let last = times.max() { result.window = (first, last) }
        return result
    }

    private func dataSet(_ lines: [Line]) -> DataSet {
        DataSet(labels: labels, lines: LineBatch(lines.map(\.text)), labelIndices: lines.map(\.human))
    }

    /// By the letters, so that two spellings of a headline share a side.
    private func isHeldOut(_ text: String) -> Bool {
        let letters = NearDuplicateIndex.normalised(text)
        return Double(StableHash.hash(letters, salt: Self.salt) >> 11) * 0x1p-53 < heldOutShare
    }

    /// Never changed: lines would change sides.
    private static let salt: UInt64 = 0x6865_6c64_6f75_7421

    /// For each of the student's labels its column in a row's logits; nil where the row is about other labels.
    private mutating func columns(of rowLabels: [String]) -> [Int]? {
        if let known = orders[rowLabels] { return known }
        var columns: [Int]? = []
        for label in labels {
            guard let column = rowLabels.firstIndex(of: label) else {
                columns = nil
                break
            }
            columns?.append(column)
        }
        if rowLabels.count != labels.count { columns = nil }
        orders[rowLabels] = .some(columns)
        return columns
    }
}
