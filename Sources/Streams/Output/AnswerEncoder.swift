import Bytes
import Diagnostics

/// Writes answers as output records.
///
/// The JSON Lines record, with the fields always in this order:
///
///     {"id":"…","source":"…","text":"…","label":"…","confidence":0.973,"by":"student","student":"v12","teacher":null}
///
/// - `id`: 16 hexadecimal digits, see `RecordIdentity`.
/// - `label`, `confidence`: the answer, and its probability to four decimals.
/// - `by`: `student` or `teacher`, the model that gave the answer; `student`: the student's version.
/// - `teacher`: the teacher's version if it answered about this line, null if the line wasn't deferred, `"skipped"` if
///   it was deferred and the teacher gave no usable answer.
/// - if the teacher answered, both opinions follow:
///   `"student_label":"…","student_confidence":0.41,"teacher_label":"…","teacher_confidence":0.97`
/// - if logits are requested: `"logits":[…]` (the student's, in its label order) and, if the teacher answered,
///   `"teacher_logits":[…]` in the same order;
/// - last, the other fields of a JSON input line; see `JSONFields`.
///
/// Parts that many records share are escaped once, in the initializer. It is a class so that passing it on doesn't
/// retain each of those parts.
public final class AnswerEncoder: Sendable {
    /// The bytes and numbers of one line.
    public struct Line {
        public var id: UInt64
        public var text: UnsafeBufferPointer<UInt8>
        /// The fields passed through from the input, as `,"key":value…`; may be empty.
        public var passed: UnsafeBufferPointer<UInt8>
        /// The student's logits and, if it answered, the teacher's, both in the student's label order.
        public var studentLogits: UnsafeBufferPointer<Float>
        public var teacherLogits: UnsafeBufferPointer<Float>

        public init(
            id: UInt64, text: UnsafeBufferPointer<UInt8>, passed: UnsafeBufferPointer<UInt8>,
            studentLogits: UnsafeBufferPointer<Float>, teacherLogits: UnsafeBufferPointer<Float>
        ) {
            self.id = id
            self.text = text
            self.passed = passed
            self.studentLogits = studentLogits
            self.teacherLogits = teacherLogits
        }
    }

    private let format: OutputFormat
    private let includesLogits: Bool
    private let afterID: [UInt8]
    private let labels: [[UInt8]]
    private let afterText: [[UInt8]]
    private let endings: Endings

    /// The text after the confidence, by which model answered.
    private struct Endings: Sendable {
        var student: [UInt8]
        var skipped: [UInt8]
        var teacher: [UInt8]
        /// For lines where both models answered and the student's answer is used.
        var overruled: [UInt8]
    }

    public init(
        format: OutputFormat, source: String, labels: [String], student: String, teacher: String?,
        includesLogits: Bool = false
    ) {
        self.format = format
        self.includesLogits = includesLogits
        afterID = Array("\",\"source\":\"".utf8) + Self.escaped(source) + Array("\",\"text\":\"".utf8)
        switch format {
        case .jsonl: self.labels = labels.map(Self.escaped)
        case .tsv, .label: self.labels = labels.map(Self.escapedTSV)
        }
        afterText = self.labels.map { Array("\",\"label\":\"".utf8) + $0 + Array("\",\"confidence\":".utf8) }
        let version = Array("\"student\":\"".utf8) + Self.escaped(student) + Array("\",\"teacher\":".utf8)
        let teacherVersion = Array("\"".utf8) + Self.escaped(teacher ?? "") + Array("\"".utf8)
        let byStudent = Array(",\"by\":\"student\",".utf8) + version
        endings = Endings(
            student: byStudent + Array("null".utf8), skipped: byStudent + Array("\"skipped\"".utf8),
            teacher: Array(",\"by\":\"teacher\",".utf8) + version + teacherVersion,
            overruled: byStudent + teacherVersion)
    }

    /// Appends one record and its newline.
    public func append(_ answer: Answer, for line: Line, to output: ByteBuffer) {
        let deciding = answer.deciding
        switch format {
        case .label:
            output.append(labels[deciding.label])
        case .tsv:
            output.appendTSVEscaped(line.text)
            output.append(UInt8(ascii: "\t"))
            output.append(labels[deciding.label])
            output.append(UInt8(ascii: "\t"))
            output.appendProbability(deciding.confidence)
        case .jsonl:
            appendObject(answer, deciding, line, output)
        }
        output.append(UInt8(ascii: "\n"))
    }

    private func appendObject(_ answer: Answer, _ deciding: Verdict, _ line: Line, _ output: ByteBuffer) {
        output.append("{\"id\":\"")
        output.appendHexadecimal(line.id)
        output.append(afterID)
        output.appendJSONEscaped(line.text)
        output.append(afterText[deciding.label])
        output.appendProbability(deciding.confidence)
        var teacherAnswered = false
        switch answer.teacher {
        case .notAsked: output.append(endings.student)
        case .skipped: output.append(endings.skipped)
        case .answered(let verdict):
            teacherAnswered = true
            output.append(answer.isByTeacher ? endings.teacher : endings.overruled)
            output.append(",\"student_label\":\"")
            output.append(labels[answer.student.label])
            output.append("\",\"student_confidence\":")
            output.appendProbability(answer.student.confidence)
            output.append(",\"teacher_label\":\"")
            output.append(labels[verdict.label])
            output.append("\",\"teacher_confidence\":")
            output.appendProbability(verdict.confidence)
        }
        if includesLogits {
            output.append(",\"logits\":")
            output.appendLogits(line.studentLogits)
            if teacherAnswered {
                output.append(",\"teacher_logits\":")
                output.appendLogits(line.teacherLogits)
            }
        }
        output.append(line.passed)
        output.append(UInt8(ascii: "}"))
    }

    private static func escaped(_ text: String) -> [UInt8] {
        let buffer = ByteBuffer()
        Array(text.utf8).withUnsafeBufferPointer { buffer.appendJSONEscaped($0) }
        return buffer.array
    }

    private static func escapedTSV(_ text: String) -> [UInt8] {
        let buffer = ByteBuffer()
        Array(text.utf8).withUnsafeBufferPointer { buffer.appendTSVEscaped($0) }
        return buffer.array
    }
}

/// The output format; each record is one line.
public enum OutputFormat: String, Sendable, CaseIterable {
    /// A JSON object with a fixed field order; see `AnswerEncoder`.
    case jsonl
    /// `text<TAB>label<TAB>confidence`; tab, newline, carriage return and backslash in the text are escaped.
    case tsv
    /// Only the label.
    case label

    public init(_ name: String) throws(UnderstudyError) {
        guard let format = OutputFormat(rawValue: name) else {
            let names = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw UnderstudyError(.usage, "unknown output format '\(name)'; use one of \(names)")
        }
        self = format
    }
}
