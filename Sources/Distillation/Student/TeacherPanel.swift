import Bytes
import Diagnostics
import Glibc
import Models
import Tensors

/// One or several teachers whose mean logits are a student's targets. Their logits are stored on disk.
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

    /// Lines scored between two writes of the file: the maximum loss of a killed run, and the maximum delay of a stop.
    private static let chunk = 512

    public let labels: [String]
    private let members: [Member]
    private let files: [TeacherLogitsFile]
    private let threads: Int

    /// The files of the logits.
    public var paths: [String] { files.map(\.path) }

    /// - Parameters:
    ///   - members: at least one; all must have the same labels. The first one's order is the panel's.
    ///   - directory: the directory of the files of logits, one per teacher, named by its fingerprint.
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
                    "the teachers \(members[0].teacher.version) and \(member.teacher.version) have different labels: "
                        + "\(labels.joined(separator: ", ")) and \(member.teacher.labels.joined(separator: ", "))")
            }
            files.append(
                try TeacherLogitsFile(
                    path: "\(directory)/\(member.fingerprint.prefix(16)).jsonl", teacher: member.fingerprint,
                    labels: member.teacher.labels))
        }
        self.files = files
    }

    /// Mean logits (lines, labels) of all lines; lines scored before aren't scored again.
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

/// A teacher's logits by line, stored on disk so that a line is scored only once for any number of students.
///
/// JSON Lines: a header `{"teacher":"<fingerprint>","labels":[…]}`, then `{"id":"<16 hex digits>","logits":[…]}` per
/// line, where the id is the hash of the line's text (`DataSet.textHashes`). Logits are joined to lines by that id,
/// never by position. Lines are appended as they are scored; an incomplete last line of a killed run is cut off.
public final class TeacherLogitsFile {
    public let path: String
    private let labels: Int
    private var logits: [UInt64: [Float]] = [:]
    private var pending: [UInt8] = []
    private let descriptor: Int32

    /// Opens or creates the file.
    ///
    /// - Throws: `invalidData` if it is another teacher's or has malformed lines; `cannotCreate` if it can't be opened.
    public init(path: String, teacher fingerprint: String, labels: [String]) throws(UnderstudyError) {
        self.path = path
        self.labels = labels.count
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw UnderstudyError(
                .cannotCreate, "the teacher's logits can't be saved: \(String(cString: strerror(errno)))", at: path)
        }
        // If this throws, `deinit` closes the descriptor, because the object is complete.
        try load(fingerprint, labels)
    }

    deinit { close(descriptor) }

    public var count: Int { logits.count }

    public func values(_ id: UInt64) -> [Float]? { logits[id] }

    /// Buffers logits for `flush`.
    public func add(_ id: UInt64, _ values: ArraySlice<Float>) {
        logits[id] = Array(values)
        let digits = String(id, radix: 16)
        let text = values.map { "\($0)" }.joined(separator: ",")
        pending.append(
            contentsOf:
                "{\"id\":\"\(String(repeating: "0", count: 16 - digits.count))\(digits)\",\"logits\":[\(text)]}\n"
                .utf8)
    }

    /// Writes the logits added since the last call.
    public func flush() throws(UnderstudyError) {
        var written = 0
        while written < pending.count {
            let result = pending.withUnsafeBytes { bytes in
                write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            }
            guard result >= 0 || errno == EINTR else {
                throw UnderstudyError(
                    .inputOutput, "the teacher's logits can't be written: \(String(cString: strerror(errno)))", at: path
                )
            }
            written += max(result, 0)
        }
        pending.removeAll(keepingCapacity: true)
    }

    private func load(_ fingerprint: String, _ labels: [String]) throws(UnderstudyError) {
        let bytes = try FileContents.rest(of: descriptor, path: path)
        guard let end = bytes.lastIndex(of: 0x0A) else {
            // The file is new, or even its header is incomplete.
            ftruncate(descriptor, 0)
            lseek(descriptor, 0, SEEK_SET)
            let header = JSONTree.members(["teacher": .string(fingerprint), "labels": .strings(labels)])
            pending.append(contentsOf: (header.written(.compact) + "\n").utf8)
            return try flush()
        }
        var number = 0
        for line in bytes[...end].split(separator: 0x0A) {
            number += 1
            let place = "\(path):\(number)"
            let json = try line.withUnsafeBufferPointer { (raw) throws(UnderstudyError) in
                try ModelConfiguration(json: UnsafeRawBufferPointer(raw), path: place)
            }
            if number == 1 {
                guard try json.string("teacher") == fingerprint, try json.strings("labels") == labels else {
                    throw UnderstudyError(
                        .invalidData, "these are another teacher's logits; name another file or remove this one",
                        at: path)
                }
                continue
            }
            let values = try json.doubles("logits").map { Float($0) }
            guard let id = UInt64(try json.string("id"), radix: 16), values.count == labels.count,
                values.allSatisfy(\.isFinite)
            else {
                throw UnderstudyError(.invalidData, "this isn't a line of logits; remove the file", at: place)
            }
            logits[id] = values
        }
        ftruncate(descriptor, off_t(end + 1))
        lseek(descriptor, 0, SEEK_END)
    }
}
