import Models
import Streams

/// What an output needs to know of a finished job.
extension CascadeJob {
    /// Where the first line starts that comes after the job.
    public var end: UInt64 { records.last?.end ?? 0 }

    /// The number of the line that comes after the job.
    public var nextNumber: UInt64 { records.last?.nextNumber ?? 1 }

    /// Whether the job's last line was the last of its origin.
    public var endsOrigin: Bool { records.last?.endsOrigin ?? false }

    /// Whether these are late lines of a job whose end has been reported before.
    public var isRest: Bool { part == .rest }

    /// Calls `body` with the start of each line that this part of the job leaves to a later one.
    public func forEachUnanswered(_ body: (UInt64) -> Void) {
        guard part == .sure else { return }
        for line in deferred { body(records[states[line].record].offset) }
    }

    /// Calls `body` with the start of each line that this part of the job has answered, refused or skipped.
    public func forEachAnswered(_ body: (UInt64) -> Void) {
        switch part {
        case .rest:
            for line in deferred { body(records[states[line].record].offset) }
        case .whole:
            for record in records where record.isLine { body(record.offset) }
        case .sure:
            var next = 0
            for index in records.indices {
                if next < deferred.count, states[deferred[next]].record == index {
                    next += 1
                } else if records[index].isLine {
                    body(records[index].offset)
                }
            }
        }
    }

    /// What the teacher said about one line.
    public struct TeacherSeen {
        public var id: UInt64
        public var text: UnsafeBufferPointer<UInt8>
        public var reason: LineDecider.Reason
        public var student: Answer.Opinion
        public var teacher: Answer.Opinion
        /// In the student's label order.
        public var studentLogits: UnsafeBufferPointer<Float>
        public var teacherLogits: UnsafeBufferPointer<Float>
    }

    /// Calls `body` for each line of this part that the teacher has answered.
    public func forEachTeacherAnswer(_ body: (TeacherSeen) -> Void) {
        guard part != .sure, !deferred.isEmpty, let labels = models?.student.labels.count else { return }
        for line in deferred {
            let state = states[line]
            guard case .answered(let teacher) = state.teacher, let verdict = state.student, let reason = state.reason
            else { continue }
            withText(line) { text in
                body(
                    TeacherSeen(
                        id: state.id, text: text, reason: reason,
                        student: Answer.Opinion(label: verdict.label, confidence: verdict.confidence), teacher: teacher,
                        studentLogits: UnsafeBufferPointer(start: studentLogits + line * labels, count: labels),
                        teacherLogits: UnsafeBufferPointer(start: teacherLogits + line * labels, count: labels)))
            }
        }
    }
}
