import Store
import Streams

/// Values to keep.
enum Samples {
    static func checkpoint(
        _ source: String = "wire", inode: UInt64, generation: UInt64 = 0, offset: UInt64 = 0,
        unanswered: [UInt64] = []
    ) -> FileCheckpoint {
        FileCheckpoint(
            source: source, path: "/var/spool/稿件/\(inode).txt",
            file: FileIdentity(device: 0xFFFF_FFFF_0000_0001, inode: inode, generation: generation), offset: offset,
            line: offset / 40 + 1, isFinished: false, unanswered: unanswered, mark: offset &* 0x9E37_79B9_7F4A_7C15,
            size: offset + 1000, modified: 1_700_000_000_000_000_000)
    }

    static func sink(
        inode: UInt64, length: UInt64, sink: String = "answers", born: Int64 = 0, mark: UInt64 = 0,
        isSettled: Bool = false
    ) -> SinkLength {
        SinkLength(
            sink: sink, path: "/var/log/\(inode).jsonl", device: 7, inode: inode, length: length, born: born,
            mark: mark,
            isSettled: isSettled)
    }

    static let labels = ["体育", "财经", "科技"]

    /// A row whose labels follow from the numbers given.
    static func row(
        id: UInt64, time: Int64 = 1_700_000_000_000_000, student: Int = 0, teacher: Int = 1,
        reason: TeacherReason = .deferred, text: String = "球队客场取胜，主帅称赞替补门将", source: String = "wire",
        models: (student: String, teacher: String) = ("学生-1", "老师-1"), human: String? = nil
    ) -> DisagreementRow {
        func logits(_ best: Int) -> [Float] { labels.indices.map { $0 == best ? 2.5 : Float($0) * -0.25 } }
        return DisagreementRow(
            id: id, source: source, text: text, time: time, reason: reason, studentLogits: logits(student),
            teacherLogits: logits(teacher), labels: labels, studentLabel: labels[student],
            teacherLabel: labels[teacher], studentConfidence: 0.61, teacherConfidence: 0.93, student: models.student,
            teacher: models.teacher, humanLabel: human)
    }
}
