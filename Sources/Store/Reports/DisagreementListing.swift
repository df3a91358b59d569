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
