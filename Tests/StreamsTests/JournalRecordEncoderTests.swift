import Bytes
import Streams
import Testing

private func record(
    _ answer: Answer, text: String = "球队赢了", passed: String = "", source: String = "wire", logits: Bool = false
) -> [String] {
    let encoder = JournalRecordEncoder(
        source: source, labels: ["sports", "ca\0r"], student: "v12", teacher: "t3", includesLogits: logits)
    let output = ByteBuffer()
    Array(text.utf8).withUnsafeBufferPointer { text in
        Array(passed.utf8).withUnsafeBufferPointer { passed in
            [Float](arrayLiteral: 1.5, -2).withUnsafeBufferPointer { student in
                [Float](arrayLiteral: 0, 0.25).withUnsafeBufferPointer { teacher in
                    encoder.append(
                        answer,
                        for: AnswerEncoder.Line(
                            id: 0x0123_4567_89AB_CDEF, text: text, passed: passed, studentLogits: student,
                            teacherLogits: teacher), to: output)
                }
            }
        }
    }
    let bytes = output.array
    #expect(bytes.suffix(2) == [0, 0])
    return bytes.dropLast(2).split(separator: 0, omittingEmptySubsequences: false).map {
        String(decoding: $0, as: UTF8.self)
    }
}

private let head = [
    "MESSAGE=球队赢了", "PRIORITY=6", "SYSLOG_IDENTIFIER=understudy", "UNDERSTUDY_ID=0123456789abcdef",
    "UNDERSTUDY_SOURCE=wire",
]

@Suite struct JournalRecordEncoderTests {
    @Test func theStudentsRecord() {
        #expect(
            record(Answer(student: .init(label: 0, confidence: 0.97312))) == head + [
                "UNDERSTUDY_LABEL=sports", "UNDERSTUDY_CONFIDENCE=0.9731", "UNDERSTUDY_BY=student",
                "UNDERSTUDY_STUDENT=v12",
            ])
    }

    @Test func theTeachersRecordCarriesBothOpinions() {
        let opinion = Answer.Teacher.answered(.init(label: 0, confidence: 0.9))
        let opinions = [
            "UNDERSTUDY_TEACHER=t3", "UNDERSTUDY_STUDENT_LABEL=ca", "UNDERSTUDY_STUDENT_CONFIDENCE=0.41",
            "UNDERSTUDY_TEACHER_LABEL=sports", "UNDERSTUDY_TEACHER_CONFIDENCE=0.9",
        ]
        #expect(
            record(Answer(student: .init(label: 1, confidence: 0.41), teacher: opinion, isByTeacher: true)) == head + [
                "UNDERSTUDY_LABEL=sports", "UNDERSTUDY_CONFIDENCE=0.9", "UNDERSTUDY_BY=teacher",
                "UNDERSTUDY_STUDENT=v12",
            ] + opinions)
        #expect(
            record(Answer(student: .init(label: 1, confidence: 0.41), teacher: opinion)) == head + [
                "UNDERSTUDY_LABEL=ca", "UNDERSTUDY_CONFIDENCE=0.41", "UNDERSTUDY_BY=student",
                "UNDERSTUDY_STUDENT=v12",
            ] + opinions)
    }

    @Test func aSkippedTeacherIsMarked() {
        #expect(
            record(Answer(student: .init(label: 0, confidence: 0.5), teacher: .skipped)).last
                == "UNDERSTUDY_TEACHER=skipped")
    }

    @Test func logitsAndPassedFieldsComeLast() {
        let answer = Answer(
            student: .init(label: 0, confidence: 0.5), teacher: .answered(.init(label: 0, confidence: 0.5)))
        #expect(
            record(answer, passed: ",\"n\":1,\"url\":\"x\"", logits: true).suffix(3) == [
                "UNDERSTUDY_LOGITS=[1.5,-2.0]", "UNDERSTUDY_TEACHER_LOGITS=[0.0,0.25]",
                "UNDERSTUDY_FIELDS={\"n\":1,\"url\":\"x\"}",
            ])
    }

    @Test func anEmptyTextIsAField() {
        let fields = record(Answer(student: .init(label: 0, confidence: 1)), text: "", source: "w\0x")
        #expect(fields.first == "MESSAGE=")
        #expect(fields.contains("UNDERSTUDY_SOURCE=w"))
    }
}
