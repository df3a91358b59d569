import Bytes
import Diagnostics
import Foundation
import Store
import Streams
import Testing

@Suite struct ExportTests {
    private static func line(_ row: DisagreementRow, _ layout: DisagreementEncoder.Layout) -> String {
        let buffer = ByteBuffer()
        DisagreementEncoder(layout).append(row, to: buffer)
        return String(decoding: buffer.bytes, as: UTF8.self)
    }

    @Test func aWholeRow() {
        var row = Samples.row(id: 0xAB, time: 1_795_003_200_000_007, text: "引号\"与\u{1}", human: "科技")
        row.teacherLogits = [.nan, 1e-9, -0.1]
        #expect(
            Self.line(row, .whole) == """
                {"id":"00000000000000ab","time":"2026-11-18T12:00:00.000007Z","source":"wire","text":"引号\\"与\\u0001",\
                "reason":"deferred","student":"学生-1","teacher":"老师-1","student_label":"体育",\
                "student_confidence":0.61,"teacher_label":"财经","teacher_confidence":0.93,\
                "student_logits":[2.5,-0.25,-0.5],"teacher_logits":[null,1e-09,-0.1],"labels":["体育","财经","科技"],\
                "human_label":"科技"}

                """)
    }

    @Test func trainingDataTrustsTheHumanFirst() {
        #expect(Self.line(Samples.row(id: 1, text: "甲"), .training) == "{\"text\":\"甲\",\"label\":\"财经\"}\n")
        #expect(
            Self.line(Samples.row(id: 1, text: "甲", human: "科技"), .training) == "{\"text\":\"甲\",\"label\":\"科技\"}\n")
    }

    @Test(arguments: ["\0\u{7f}\u{2028}\u{1b}\\\"", "</script>", "😀\u{10FFFF}"])
    func hostileTextIsOneLineOfJSON(text: String) throws {
        var row = Samples.row(id: 1, text: text, source: text, models: (text, text), human: text)
        row.labels = [text]
        row.studentLabel = text
        let line = Self.line(row, .whole)
        #expect(line.filter { $0 == "\n" }.count == 1)
        let read = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        for key in ["text", "source", "student", "teacher", "student_label", "human_label"] {
            #expect(read[key] as? String == text)
        }
        #expect(read["labels"] as? [String] == [text])
    }

    @Test func theTableFitsTheTerminal() {
        let rows = ["球队客场取胜，主帅称赞替补门将的表现让人难忘", "短", "\u{1b}[31m红\r\n行", String(repeating: "长", count: 90_000)].map {
            Samples.row(id: 0xFF, text: $0, human: nil)
        }
        let table = DisagreementListing.text(rows, width: 120).split(separator: "\n")
        #expect(table.count == 5)
        for line in table { #expect(PrintableText.terminalColumns(String(line)) <= 120, "\(line)") }
        #expect(table[3].contains("\\u{1b}[31m红\\u{d}\\u{a}行"))
        // The texts begin below each other, behind labels of wide characters.
        let columns = table.dropFirst().map { line in
            PrintableText.terminalColumns(String(line.prefix(while: { !"球短\\长".contains($0) })))
        }
        #expect(Set(columns).count == 1)
        #expect(DisagreementListing.text(rows, width: nil).count > 90_000)
    }
}
