import Diagnostics
import Streams

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
            member(",\"labels\":", list: row.labels, buffer) { string($0, buffer) }
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
        string(value, buffer)
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

    private func string(_ text: String, _ buffer: ByteBuffer) {
        buffer.append("\"")
        var text = text
        text.withUTF8 { buffer.appendJSONEscaped($0) }
        buffer.append("\"")
    }

    /// The shortest digits that restore the same f32; a non-finite value is written as null, since JSON can't represent
    /// it.
    private func number(_ value: Float, _ buffer: ByteBuffer) {
        buffer.append(value.isFinite ? "\(value)" : "null")
    }
}
