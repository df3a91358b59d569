import Bytes
import Diagnostics
import Foundation
import Streams
import TestSupport
import Testing

private struct Case {
    var answer: Answer
    var text = "球队赢了"
    var passed = ""
    var studentLogits: [Float] = [1.5, -2, 0.125]
    var teacherLogits: [Float] = [0, 1e-7, -3.25]
}

private func record(_ one: Case, format: OutputFormat = .jsonl, logits: Bool = false) -> String {
    let encoder = AnswerEncoder(
        format: format, source: "stdin", labels: ["sports", "a\"b", "t\tb"], student: "v12", teacher: "t3",
        includesLogits: logits)
    let output = ByteBuffer()
    Array(one.text.utf8).withUnsafeBufferPointer { text in
        Array(one.passed.utf8).withUnsafeBufferPointer { passed in
            one.studentLogits.withUnsafeBufferPointer { student in
                one.teacherLogits.withUnsafeBufferPointer { teacher in
                    encoder.append(
                        one.answer,
                        for: AnswerEncoder.Line(
                            id: 0x0123_4567_89AB_CDEF, text: text, passed: passed, studentLogits: student,
                            teacherLogits: teacher), to: output)
                }
            }
        }
    }
    return String(decoding: output.array, as: UTF8.self)
}

private let sure = Answer(student: .init(label: 0, confidence: 0.97312))
private let asked = Answer(
    student: .init(label: 0, confidence: 0.41), teacher: .answered(.init(label: 1, confidence: 0.9)), isByTeacher: true)
private let overruled = Answer(
    student: .init(label: 0, confidence: 0.41), teacher: .answered(.init(label: 1, confidence: 0.9)))
private let skipped = Answer(student: .init(label: 0, confidence: 0.41), teacher: .skipped)

private let head = #"{"id":"0123456789abcdef","source":"stdin","text":"球队赢了","#

@Suite struct AnswerEncoderTests {
    @Test func theStudentsRecord() {
        #expect(
            record(Case(answer: sure))
                == head + #""label":"sports","confidence":0.9731,"by":"student","student":"v12","teacher":null}"# + "\n"
        )
    }

    @Test func theTeachersRecordCarriesBothOpinions() {
        let opinions =
            #""student_label":"sports","student_confidence":0.41,"teacher_label":"a\"b","teacher_confidence":0.9}"#
        #expect(
            record(Case(answer: asked))
                == head + #""label":"a\"b","confidence":0.9,"by":"teacher","student":"v12","teacher":"t3","#
                + opinions + "\n")
        #expect(
            record(Case(answer: overruled))
                == head + #""label":"sports","confidence":0.41,"by":"student","student":"v12","teacher":"t3","#
                + opinions + "\n")
    }

    @Test func aSkippedTeacherIsMarked() {
        #expect(
            record(Case(answer: skipped))
                == head + #""label":"sports","confidence":0.41,"by":"student","student":"v12","teacher":"skipped"}"#
                + "\n")
    }

    @Test func logitsAndPassedFieldsComeLast() {
        let end = #""teacher":null,"logits":[1.5,-2.0,0.125],"n":1}"#
        #expect(record(Case(answer: sure, passed: ",\"n\":1"), logits: true).hasSuffix(end + "\n"))
        let both = #""teacher_confidence":0.9,"logits":[1.5,-2.0,0.125],"teacher_logits":[0.0,0.0,-3.25],"n":1}"#
        #expect(record(Case(answer: asked, passed: ",\"n\":1"), logits: true).hasSuffix(both + "\n"))
    }

    @Test func theOtherFormats() {
        let line = Case(answer: asked, text: "a\tb\\n\nc\r")
        #expect(record(line, format: .tsv) == "a\\tb\\\\n\\nc\\r\ta\"b\t0.9\n")
        #expect(record(line, format: .label) == "a\"b\n")
        let tabbed = Case(answer: Answer(student: .init(label: 2, confidence: 1)))
        #expect(record(tabbed, format: .label) == "t\\tb\n")
    }

    @Test(arguments: 0..<200)
    func everyRecordIsJSONThatSaysTheText(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        var text = String.UnicodeScalarView()
        let pool = Array("ab\"\\/\u{00}\u{01}\u{1F}\u{7F}\u{80}股😀\n\r\t".unicodeScalars)
        for _ in 0..<Int.random(in: 0...40, using: &random) { text.append(pool.randomElement(using: &random) ?? "a") }
        let one = Case(answer: [sure, asked, skipped].randomElement(using: &random) ?? sure, text: String(text))
        let json = record(one, logits: Bool.random(using: &random))
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        let said = try #require(object?["text"] as? String)
        #expect(said.unicodeScalars.elementsEqual(text))
    }

    @Test func everyKeyIsReserved() throws {
        let json = record(Case(answer: asked), logits: true)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        #expect(Set(object.keys) == Set(JSONFields.reservedKeys))
    }

    @Test func formatsAreReadByName() throws {
        #expect(try OutputFormat("tsv") == .tsv)
        #expect(throws: UnderstudyError.self) { try OutputFormat("csv") }
    }

    @Test func errorRecords() {
        let output = ByteBuffer()
        let encoder = FlawEncoder(source: "stdin", field: "a\"b")
        encoder.append(.notUTF8(at: 17), line: 7, to: output)
        encoder.append(.missingField, line: 18_446_744_073_709_551_615, to: output)
        encoder.appendWarning(code: "teacher_skipped", line: 1, reason: "r", to: output)
        #expect(
            String(decoding: output.array, as: UTF8.self) == """
                {"error":"not_utf8","line":7,"source":"stdin","reason":"not UTF-8 at byte 17"}
                {"error":"missing_field","line":18446744073709551615,"source":"stdin","reason":"no field 'a\\"b'"}
                {"warning":"teacher_skipped","line":1,"source":"stdin","reason":"r"}

                """)
    }
}
