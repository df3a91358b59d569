import Diagnostics

/// Puts the teacher's logits into the student's label order.
public struct LabelMap: Sendable, Equatable {
    /// `positions[i]` is where the teacher keeps the student's label `i`.
    public let positions: [Int]

    /// Refuses label sets that differ, naming what only one of the two has. The order may differ.
    public init(student: [String], teacher: [String]) throws(UnderstudyError) {
        try Self.checkUnique(student, of: "student")
        try Self.checkUnique(teacher, of: "teacher")
        let onlyStudent = student.filter { !teacher.contains($0) }
        let onlyTeacher = teacher.filter { !student.contains($0) }
        guard onlyStudent.isEmpty, onlyTeacher.isEmpty else {
            var parts: [String] = []
            if !onlyStudent.isEmpty { parts.append("only the student has \(Self.list(onlyStudent))") }
            if !onlyTeacher.isEmpty { parts.append("only the teacher has \(Self.list(onlyTeacher))") }
            throw UnderstudyError(
                .invalidData, "teacher and student have different labels: " + parts.joined(separator: ", "))
        }
        positions = student.map { label in teacher.firstIndex(of: label) ?? 0 }
    }

    private static func checkUnique(_ labels: [String], of model: String) throws(UnderstudyError) {
        guard !labels.isEmpty else { throw UnderstudyError(.invalidData, "the \(model) has no labels") }
        guard Set(labels).count == labels.count else {
            throw UnderstudyError(.invalidData, "the \(model) has the same label twice: \(list(labels))")
        }
    }

    /// At most a few names, so that a model with thousands of labels still gives one sentence.
    private static func list(_ labels: [String]) -> String {
        let shown = labels.prefix(8).map { "'\($0)'" }.joined(separator: ", ")
        return labels.count > 8 ? "\(shown) and \(labels.count - 8) more" : shown
    }
}
