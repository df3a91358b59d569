/// What the cascade decided about one line, in label indices of the student.
public struct Answer: Sendable, Equatable {
    /// A model's own reading of the line.
    public struct Opinion: Sendable, Equatable {
        public var label: Int
        /// Probability of `label`, 0 … 1.
        public var confidence: Float

        public init(label: Int, confidence: Float) {
            self.label = label
            self.confidence = confidence
        }
    }

    /// What became of asking the teacher.
    public enum Teacher: Sendable, Equatable {
        case notAsked
        case answered(Opinion)
        /// It was to be asked, and could not give an answer; the student's stands.
        case skipped
    }

    public var student: Opinion
    public var teacher: Teacher
    /// Whose opinion is the answer. The teacher's only if it answered.
    public var isByTeacher: Bool

    public init(student: Opinion, teacher: Teacher = .notAsked, isByTeacher: Bool = false) {
        self.student = student
        self.teacher = teacher
        self.isByTeacher = isByTeacher
    }

    /// The opinion that the answer's label and confidence come from.
    public var deciding: Opinion {
        if isByTeacher, case .answered(let opinion) = teacher { return opinion }
        return student
    }
}
