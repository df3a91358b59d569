import Diagnostics
import Models
import Tensors

/// One or several teachers whose mean logits a student learns, with their logits kept on disk.
public final class TeacherPanel {
    /// A teacher and the name of its weights.
    public struct Member {
        public var teacher: any LineClassifier
        public var fingerprint: String

        public init(teacher: any LineClassifier, fingerprint: String) {
            self.teacher = teacher
            self.fingerprint = fingerprint
        }
    }

    /// Lines scored between two writes of the file: what a killed run may lose, and how long a stop may take.
    private static let chunk = 512

    public let labels: [String]
    private let members: [Member]
    private let files: [TeacherLogitsFile]
    private let threads: Int

    /// Where the logits are kept.
    public var paths: [String] { files.map(\.path) }

    /// - Parameters:
    ///   - members: at least one; all must know the same labels. The first one's order is the panel's.
    ///   - directory: where the files of logits are, one per teacher, named by its fingerprint.
    public init(_ members: [Member], directory: String, threads: Int) throws(UnderstudyError) {
        precondition(!members.isEmpty)
        self.members = members
        self.threads = threads
        labels = members[0].teacher.labels
        var files: [TeacherLogitsFile] = []
        for member in members {
            guard Set(member.teacher.labels) == Set(labels) else {
                throw UnderstudyError(
                    .invalidData,
                    "the teachers \(members[0].teacher.version) and \(member.teacher.version) know different labels: "
                        + "\(labels.joined(separator: ", ")) and \(member.teacher.labels.joined(separator: ", "))")
            }
            files.append(
                try TeacherLogitsFile(
                    path: "\(directory)/\(member.fingerprint.prefix(16)).jsonl", teacher: member.fingerprint,
                    labels: member.teacher.labels))
        }
        self.files = files
    }

    /// Mean logits (lines, labels) of all lines; those that were scored before aren't scored again.
    ///
    /// `known` has the panel's logits of some texts by their hash, from elsewhere: those aren't scored at all.
    public func logits(
        of data: DataSet, known: [UInt64: [Float]] = [:], progress: ProgressMeter, shouldStop: () -> Bool
    ) throws(UnderstudyError) -> Matrix {
        let result = Matrix(rows: data.count, columns: labels.count)
        let unknown = known.isEmpty ? data : data.rows((0..<data.count).filter { known[data.textHashes[$0]] == nil })
        for (line, hash) in data.textHashes.enumerated() {
            guard let values = known[hash], values.count == labels.count else { continue }
            for (label, value) in values.enumerated() { result.row(line)[label] = value }
        }
        for (member, file) in zip(members, files) {
            try score(unknown, member, file, progress: progress, shouldStop: shouldStop)
            let columns = labels.map { name in member.teacher.labels.firstIndex(of: name) ?? 0 }
            for (line, hash) in data.textHashes.enumerated() {
                guard known[hash] == nil, let values = file.values(hash) else { continue }
                let row = result.row(line)
                for (label, column) in columns.enumerated() { row[label] += values[column] / Float(members.count) }
            }
        }
        return result
    }

    private func score(
        _ data: DataSet, _ member: Member, _ file: TeacherLogitsFile, progress: ProgressMeter, shouldStop: () -> Bool
    ) throws(UnderstudyError) {
        var seen = Set<UInt64>()
        let missing = (0..<data.count).filter { index in
            file.values(data.textHashes[index]) == nil && seen.insert(data.textHashes[index]).inserted
        }
        guard !missing.isEmpty else { return }
        progress.begin("teacher \(member.teacher.version)", total: missing.count)
        defer { progress.end() }
        var evaluator = Evaluator()
        evaluator.threads = threads
        for start in stride(from: 0, to: missing.count, by: Self.chunk) {
            guard !shouldStop() else {
                throw UnderstudyError(
                    .tryAgain,
                    "training was stopped while the teacher was scoring; its logits are kept for the next run, and "
                        + "nothing else is written")
            }
            let lines = data.rows(Array(missing[start..<min(start + Self.chunk, missing.count)]))
            let logits = try evaluator.logits(of: lines, by: member.teacher, progress: progress)
            let count = member.teacher.labels.count
            for index in 0..<lines.count {
                file.add(lines.textHashes[index], logits[index * count..<(index + 1) * count])
            }
            try file.flush()
        }
    }
}
