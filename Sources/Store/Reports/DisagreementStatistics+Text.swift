import Diagnostics
import Streams

extension DisagreementStatistics {
    /// The figures for people, with the last line end; examples are cut to fit into `width` columns.
    public func text(width: Int?) -> String {
        guard all.asked > 0 else { return "The log has no such rows.\n" }
        var text = PrintableText.table(
            [
                ["", "rows", "agreed", "agreement"], Self.row("all", all), Self.row("sure lines (audit)", audit),
                Self.row("unsure lines (deferred)", deferred),
            ])
        text += "\n"
        if humanLabels > 0 {
            text += PrintableText.table(
                [
                    ["human labels", "rows", "agreed", "agreement"], Self.row("with the student", humanWithStudent),
                    Self.row("with the teacher", humanWithTeacher),
                ])
        } else {
            text += "no human labels yet\n"
        }
        if !pairs.isEmpty {
            let rows = pairs.map { pair in
                [
                    DisagreementListing.label(pair.student), DisagreementListing.label(pair.teacher),
                    NumberText.grouped(pair.rows),
                    PrintableText.escaped(PrintableText.cut(pair.example, columns: width ?? Self.longestExample)),
                ]
            }
            let table = PrintableText.table(
                [["student says", "teacher says", "rows", "the newest"]] + rows, leftAligned: [0, 1, 3])
            text += "\n"
            for line in table.split(separator: "\n") {
                text += (width.map { PrintableText.cut(String(line), columns: $0) } ?? String(line)) + "\n"
            }
        }
        text += "\n"
        text += PrintableText.table(
            [["day (UTC)", "rows", "agreed", "agreement"]]
                + days.map { Self.row(TimeText.date($0.start), $0.agreement) })
        return text
    }

    private static let longestExample = 80

    private static func row(_ name: String, _ agreement: Agreement) -> [String] {
        [
            name, NumberText.grouped(agreement.asked), NumberText.grouped(agreement.agreed),
            agreement.share.map { NumberText.percent($0) } ?? "–",
        ]
    }

    /// The figures as one JSON object on one line, with its end.
    public func json() -> String {
        let buffer = ByteBuffer()
        func string(_ text: String) {
            var text = text
            buffer.append("\"")
            text.withUTF8 { buffer.appendJSONEscaped($0) }
            buffer.append("\"")
        }
        func list<Element>(_ key: StaticString, _ elements: [Element], _ element: (Element) -> Void) {
            buffer.append(key)
            for (index, value) in elements.enumerated() {
                if index > 0 { buffer.append(",") }
                element(value)
            }
            buffer.append("]")
        }
        func agreement(_ key: StaticString, _ value: Agreement) {
            buffer.append(key)
            buffer.append("{\"rows\":\(value.asked),\"agreed\":\(value.agreed)}")
        }
        agreement("{\"all\":", all)
        agreement(",\"audit\":", audit)
        agreement(",\"deferred\":", deferred)
        agreement(",\"human_with_student\":", humanWithStudent)
        agreement(",\"human_with_teacher\":", humanWithTeacher)
        list(",\"pairs\":[", pairs) { pair in
            buffer.append("{\"student_label\":")
            string(pair.student)
            buffer.append(",\"teacher_label\":")
            string(pair.teacher)
            buffer.append(",\"rows\":\(pair.rows),\"example\":")
            string(pair.example)
            buffer.append("}")
        }
        list(",\"days\":[", days) { day in
            buffer.append("{\"day\":\"\(TimeText.date(day.start))\"")
            agreement(",\"agreement\":", day.agreement)
            buffer.append("}")
        }
        buffer.append("}\n")
        return String(decoding: buffer.bytes, as: UTF8.self)
    }
}
