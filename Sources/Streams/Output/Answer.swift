/// The cascade's decision about one line, in label indices of the student.
public struct Answer: Sendable, Equatable {
    /// The result of the deferral, if any.
    public enum Teacher: Sendable, Equatable {
        case notAsked
        case answered(Verdict)
        /// The line was deferred, but the teacher could not answer; the student's answer is used.
        case skipped
    }

    public var student: Verdict
    public var teacher: Teacher
    /// Whether the answer is the teacher's; true only if it answered.
    public var isByTeacher: Bool

    public init(student: Verdict, teacher: Teacher = .notAsked, isByTeacher: Bool = false) {
        self.student = student
        self.teacher = teacher
        self.isByTeacher = isByTeacher
    }

    /// The verdict that supplies the answer's label and confidence.
    public var deciding: Verdict {
        if isByTeacher, case .answered(let verdict) = teacher { return verdict }
        return student
    }
}

/// Why the teacher sees a line. The raw values are part of formats.
public enum TeacherReason: String, Sendable, CaseIterable {
    /// The student was unsure.
    case deferred
    /// The student was sure; a share of such lines is audited to estimate agreement and drift.
    case audit
}
