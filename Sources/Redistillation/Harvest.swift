import Bytes
import Distillation
import Models
import Store

/// Selects the training lines of a run from the disagreement log.
///
/// Of rows with equal or nearly equal texts the newest is used. Lines of the holdout are never used. A hash of a line's
/// letters decides whether it is for training or held out, so the choice is the same in all runs.
public struct Harvest {
    /// Maximum length of a line in bytes. Longer texts are no headlines and would cost as much as hundreds of them.
    static let mostBytes = 4096

    public struct Outcome {
        /// Training rows, with human labels; the label is unknown without one.
        public var learnt: DataSet
        /// Held-out rows, labelled in the same way.
        public var heldOut: DataSet
        /// The present teacher's logits in the student's label order, by the text's hash.
        public var known: [UInt64: [Float]]
        /// The log's teacher label, by the text's hash, from any teacher.
        public var teacherLabels: [UInt64: Int32]
        /// Hashes of the texts with a human label.
        public var trusted: Set<UInt64>
        /// Training lines by label: the human's, else the teacher's.
        public var perLabel: [Int]
        public var counts: HarvestCounts
        /// Times of the first and last row, microseconds since 1970.
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
    ///   - labels: the student's labels, in its order.
    ///   - knowsTeacher: whether the logits of a row without a fingerprint are the present teacher's.
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

    /// Adds a row. Rows must come oldest first.
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
            // A human label is kept if a newer row has none.
            if line.human < 0 { line.human = before.human }
            line.logits = line.logits ?? before.logits
        } else {
            order.append(hash)
        }
        lines[hash] = line
    }

    /// Returns the selection. `damaged` is the number of rows that could not be read.
    public func finish(damaged: Int = 0) -> Outcome {
        var counts = counts
        counts.damaged = damaged
        counts.overlappingHoldoutLines = overlapping.count
        // Of near duplicates the newest is kept; rows with a human label take precedence.
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

    /// Hashes the letters only, so that spelling variants of a headline are on the same side.
    private func isHeldOut(_ text: String) -> Bool {
        let letters = NearDuplicateIndex.normalised(text)
        return Double(StableHash.hash(letters, salt: Self.salt) >> 11) * 0x1p-53 < heldOutShare
    }

    /// Must never change, or lines would change sides.
    private static let salt: UInt64 = 0x6865_6c64_6f75_7421

    /// Returns the column in a row's logits for each of the student's labels; nil if the row has other labels.
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

/// Counts of the log's rows by outcome.
public struct HarvestCounts: Sendable, Equatable {
    public var read = 0
    /// Unreadable in the database.
    public var damaged = 0
    /// Equal, and nearly equal, to the text of a newer row.
    public var duplicates = 0
    public var nearDuplicates = 0
    /// Equal or nearly equal to a line of the holdout; never used for training.
    public var inHoldout = 0
    /// Lines of the holdout with such a row.
    public var overlappingHoldoutLines = 0
    /// With labels other than the student's.
    public var otherLabels = 0
    /// Too long, empty, or with logits that aren't finite.
    public var unusable = 0
    /// Answered by another teacher than the present one, which is asked again.
    public var otherTeacher = 0
    public var humanLabels = 0
    public var learnt = 0
    public var heldOut = 0

    public init() {}
}

/// Selects the lines of the base transfer set that a run replays against forgetting (Robins 1995, "Catastrophic
/// Forgetting, Rehearsal and Pseudorehearsal").
public enum ReplaySample {
    /// Returns at most `count` lines, labelled ones first, in an order that depends only on the seed. Excludes texts of
    /// `log`, and texts equal or nearly equal to a line of the holdout.
    public static func choose(
        _ count: Int, from base: DataSet, seed: UInt64, holdout: DataSet, log: DataSet
    ) -> DataSet {
        var index = NearDuplicateIndex()
        for line in 0..<holdout.count { index.insert(holdout.text(line)) }
        let mixed = base.excluding(textsOf: log).shuffled(seed: seed)
        var labelled: [Int] = []
        var others: [Int] = []
        for line in 0..<mixed.count where index.match(mixed.text(line)) == nil {
            if mixed.labelIndices[line] >= 0 { labelled.append(line) } else { others.append(line) }
        }
        return mixed.rows(Array((labelled + others).prefix(count)))
    }
}
