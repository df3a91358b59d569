import Bytes
import Diagnostics
import Streams

/// Rows of the log as a table of text.
public enum DisagreementListing {
    /// The table with its header; texts are cut so that a line fits into `width` columns, or not cut if it is nil.
    public static func text(_ rows: [DisagreementRow], width: Int?) -> String {
        let head = ["time", "id", "why", "student", "", "teacher", "", "human", "text"]
        let cells = rows.map { row in
            [
                TimeText.minute(row.time), identifier(row.id), row.reason.rawValue, label(row.studentLabel),
                percent(row.studentConfidence), label(row.teacherLabel), percent(row.teacherConfidence),
                row.humanLabel.map(label) ?? "–",
            ]
        }
        let rowsBefore = [Array(head.dropLast())] + cells
        let before = PrintableText.table(rowsBefore, leftAligned: leftAligned)
        let columns = before.split(separator: "\n").map { PrintableText.terminalColumns(String($0)) }.max() ?? 0
        let room = width.map { max(narrowestText, $0 - columns - 2) }
        let texts = rows.map { row in
            guard let room else { return PrintableText.escaped(row.text) }
            // Cut first too: a line may be a mebibyte long.
            let start = PrintableText.cut(row.text, columns: room + 1)
            return PrintableText.cut(PrintableText.escaped(start), columns: room)
        }
        let table = zip(rowsBefore, [head[head.count - 1]] + texts).map { $0 + [$1] }
        return PrintableText.table(table, leftAligned: leftAligned)
    }

    /// All columns but the confidences.
    private static let leftAligned: Set = [0, 1, 2, 3, 5, 7, 8]
    private static let narrowestText = 20
    private static let widestLabel = 24

    /// The text form of an id: sixteen hexadecimal digits.
    public static func identifier(_ id: UInt64) -> String {
        let digits = String(id, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    static func label(_ label: String) -> String {
        PrintableText.cut(PrintableText.escaped(label), columns: widestLabel)
    }

    static func percent(_ share: Float) -> String { NumberText.percent(Double(share)) }
}

/// Writes rows of the log as JSON Lines.
public struct DisagreementEncoder {
    public enum Layout: Sendable {
        /// All fields of a row.
        case whole
        /// `{"text":…,"label":…}`, as data for `distill` and `train`: the human label if there is one, else the
        /// teacher's.
        case training
    }

    private let layout: Layout

    public init(_ layout: Layout) {
        self.layout = layout
    }

    /// Appends one line with its newline.
    public func append(_ row: DisagreementRow, to buffer: ByteBuffer) {
        switch layout {
        case .training:
            member("{\"text\":", string: row.text, buffer)
            member(",\"label\":", string: row.humanLabel ?? row.teacherLabel, buffer)
        case .whole:
            buffer.append("{\"id\":\"")
            buffer.appendHexadecimal(row.id)
            member("\",\"time\":", string: TimeText.exact(row.time), buffer)
            member(",\"source\":", string: row.source, buffer)
            member(",\"text\":", string: row.text, buffer)
            member(",\"reason\":", string: row.reason.rawValue, buffer)
            member(",\"student\":", string: row.student, buffer)
            member(",\"teacher\":", string: row.teacher, buffer)
            member(",\"student_label\":", string: row.studentLabel, buffer)
            member(",\"student_confidence\":", number: row.studentConfidence, buffer)
            member(",\"teacher_label\":", string: row.teacherLabel, buffer)
            member(",\"teacher_confidence\":", number: row.teacherConfidence, buffer)
            member(",\"student_logits\":", list: row.studentLogits, buffer) { number($0, buffer) }
            member(",\"teacher_logits\":", list: row.teacherLogits, buffer) { number($0, buffer) }
            member(",\"labels\":", list: row.labels, buffer) { buffer.appendJSONString($0) }
            if let label = row.humanLabel {
                member(",\"human_label\":", string: label, buffer)
            } else {
                buffer.append(",\"human_label\":null")
            }
        }
        buffer.append("}\n")
    }

    private func member(_ key: StaticString, string value: String, _ buffer: ByteBuffer) {
        buffer.append(key)
        buffer.appendJSONString(value)
    }

    private func member(_ key: StaticString, number value: Float, _ buffer: ByteBuffer) {
        buffer.append(key)
        number(value, buffer)
    }

    private func member<Element>(
        _ key: StaticString, list: [Element], _ buffer: ByteBuffer, _ element: (Element) -> Void
    ) {
        buffer.append(key)
        buffer.append("[")
        for (index, value) in list.enumerated() {
            if index > 0 { buffer.append(",") }
            element(value)
        }
        buffer.append("]")
    }

    /// The shortest digits that restore the same f32; a non-finite value is written as null, since JSON can't represent
    /// it.
    private func number(_ value: Float, _ buffer: ByteBuffer) {
        buffer.append(value.isFinite ? "\(value)" : "null")
    }
}
