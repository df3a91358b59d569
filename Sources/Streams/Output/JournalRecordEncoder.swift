import Bytes

/// Writes answers as journal entries, for a sink that parses them.
///
/// A record is its fields, each as `NAME=value` and a NUL byte, and one more NUL byte. No value holds NUL: lines with
/// NUL aren't answered, and names are truncated at it. The fields, after those of systemd.journal-fields(7):
///
/// - `MESSAGE`: the text; `PRIORITY=6`; `SYSLOG_IDENTIFIER=understudy`;
/// - `UNDERSTUDY_ID`, `UNDERSTUDY_SOURCE`, `UNDERSTUDY_LABEL`, `UNDERSTUDY_CONFIDENCE`, `UNDERSTUDY_BY`,
///   `UNDERSTUDY_STUDENT`, `UNDERSTUDY_TEACHER` (omitted if the line wasn't deferred), `UNDERSTUDY_STUDENT_LABEL` …,
///   `UNDERSTUDY_LOGITS`, `UNDERSTUDY_TEACHER_LOGITS`: as the fields of `AnswerEncoder`, with the same values;
/// - `UNDERSTUDY_FIELDS`: the other fields of a JSON input line, as one object.
public final class JournalRecordEncoder: Sendable {
    private let includesLogits: Bool
    /// The bytes between the text and the id.
    private let afterText: [UInt8]
    /// The bytes between the id and the label.
    private let afterID: [UInt8]
    private let labels: [[UInt8]]
    private let byStudent: [UInt8]
    private let byTeacher: [UInt8]
    private let teacher: [UInt8]

    public init(source: String, labels: [String], student: String, teacher: String?, includesLogits: Bool = false) {
        self.includesLogits = includesLogits
        afterText = Array("\0PRIORITY=6\0SYSLOG_IDENTIFIER=understudy\0UNDERSTUDY_ID=".utf8)
        afterID = Array("\0UNDERSTUDY_SOURCE=".utf8) + Self.value(source) + Array("\0UNDERSTUDY_LABEL=".utf8)
        self.labels = labels.map(Self.value)
        let version = Array("\0UNDERSTUDY_STUDENT=".utf8) + Self.value(student)
        byStudent = Array("\0UNDERSTUDY_BY=student".utf8) + version
        byTeacher = Array("\0UNDERSTUDY_BY=teacher".utf8) + version
        self.teacher = Self.value(teacher ?? "")
    }

    /// Appends one record.
    public func append(_ answer: Answer, for line: AnswerEncoder.Line, to output: ByteBuffer) {
        let deciding = answer.deciding
        output.append("MESSAGE=")
        output.append(line.text)
        output.append(afterText)
        output.appendHexadecimal(line.id)
        output.append(afterID)
        output.append(labels[deciding.label])
        output.append("\0UNDERSTUDY_CONFIDENCE=")
        output.appendProbability(deciding.confidence)
        output.append(answer.isByTeacher ? byTeacher : byStudent)
        var teacherAnswered = false
        switch answer.teacher {
        case .notAsked: break
        case .skipped: output.append("\0UNDERSTUDY_TEACHER=skipped")
        case .answered(let verdict):
            teacherAnswered = true
            appendVerdicts(answer.student, verdict, output)
        }
        if includesLogits {
            output.append("\0UNDERSTUDY_LOGITS=")
            output.appendLogits(line.studentLogits)
            if teacherAnswered {
                output.append("\0UNDERSTUDY_TEACHER_LOGITS=")
                output.appendLogits(line.teacherLogits)
            }
        }
        if !line.passed.isEmpty {
            output.append("\0UNDERSTUDY_FIELDS={")
            // The passed fields begin with the comma that separates them from the answer's own fields.
            output.append(UnsafeBufferPointer(rebasing: line.passed.dropFirst()))
            output.append(UInt8(ascii: "}"))
        }
        output.append("\0\0")
    }

    private func appendVerdicts(_ student: Verdict, _ teacher: Verdict, _ output: ByteBuffer) {
        output.append("\0UNDERSTUDY_TEACHER=")
        output.append(self.teacher)
        output.append("\0UNDERSTUDY_STUDENT_LABEL=")
        output.append(labels[student.label])
        output.append("\0UNDERSTUDY_STUDENT_CONFIDENCE=")
        output.appendProbability(student.confidence)
        output.append("\0UNDERSTUDY_TEACHER_LABEL=")
        output.append(labels[teacher.label])
        output.append("\0UNDERSTUDY_TEACHER_CONFIDENCE=")
        output.appendProbability(teacher.confidence)
    }

    private static func value(_ text: String) -> [UInt8] {
        Array(text.utf8.prefix { $0 != 0 })
    }
}
