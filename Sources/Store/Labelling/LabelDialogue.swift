import Diagnostics
import Streams

/// Asks a person for the labels of lines, one by one, with a key for each label.
///
/// Independent of a terminal: keys come from a closure and text is passed to one, so that a test can run the dialogue.
public struct LabelDialogue {
    /// The result of the dialogue.
    public struct Outcome: Sendable, Equatable {
        public var labelled = 0
        public var skipped = 0
        /// Whether the person quit before the last line.
        public var hasQuit = false

        public init(labelled: Int = 0, skipped: Int = 0, hasQuit: Bool = false) {
            self.labelled = labelled
            self.skipped = skipped
            self.hasQuit = hasQuit
        }
    }

    /// The next key's byte; nil when there are no more.
    private let key: () -> UInt8?
    private let write: (String) -> Void
    private let width: Int

    /// The keys of labels in their order; s, u and q have other meanings.
    static let labelKeys = Array("123456789abcdefghijklmnoprtvwxyz".utf8)
    /// Only this much of a longer line is shown.
    private static let longestText = 2000

    private enum Answer {
        case label(String)
        case skip, undo, quit
    }

    public init(width: Int, key: @escaping () -> UInt8?, write: @escaping (String) -> Void) {
        self.width = width
        self.key = key
        self.write = write
    }

    /// Shows each of `rows`; `keep` is called at once for each answer, and with nil for one that is undone.
    ///
    /// Errors: those that `keep` throws; `usage` if a line's models have more labels than there are keys.
    public func run(
        _ rows: [DisagreementRow], keep: (UInt64, String?) throws(UnderstudyError) -> Void
    ) throws(UnderstudyError) -> Outcome {
        var outcome = Outcome()
        /// For each line shown, whether it got a label.
        var passed: [Bool] = []
        while passed.count < rows.count {
            let row = rows[passed.count]
            guard row.labels.count <= Self.labelKeys.count else {
                throw UnderstudyError(
                    .usage,
                    "\(row.labels.count) labels are more than the \(Self.labelKeys.count) keys; label with --from FILE")
            }
            show(row, number: passed.count + 1, of: rows.count)
            switch answer(row.labels) {
            case .label(let label):
                try keep(row.id, label)
                write("→ \(PrintableText.escaped(label))\n")
                passed.append(true)
                outcome.labelled += 1
            case .skip:
                write("skipped\n")
                passed.append(false)
                outcome.skipped += 1
            case .undo:
                guard let wasLabelled = passed.popLast() else {
                    write("nothing to undo\n")
                    continue
                }
                write("back\n")
                if wasLabelled {
                    try keep(rows[passed.count].id, rows[passed.count].humanLabel)
                    outcome.labelled -= 1
                } else {
                    outcome.skipped -= 1
                }
            case .quit:
                write("\n")
                outcome.hasQuit = true
                return outcome
            }
        }
        return outcome
    }

    private func show(_ row: DisagreementRow, number: Int, of count: Int) {
        func opinion(_ name: String, _ label: String, _ confidence: Float) -> [String] {
            ["  \(name)", PrintableText.escaped(label), DisagreementListing.percent(confidence)]
        }
        let text = PrintableText.escaped(String(row.text.unicodeScalars.prefix(Self.longestText)))
        let more = row.text.unicodeScalars.count > Self.longestText ? "…" : ""
        let labelKeys = zip(Self.labelKeys, row.labels).map { key, label in
            "\(Character(Unicode.Scalar(key))) \(PrintableText.escaped(label))"
        }
        let head = [
            "\(number) of \(count)", PrintableText.escaped(row.source), TimeText.minute(row.time), row.reason.rawValue,
        ]
        write("\n" + head.joined(separator: " · ") + "\n\n  \(text)\(more)\n\n")
        write(
            PrintableText.table(
                [
                    opinion("student", row.studentLabel, row.studentConfidence),
                    opinion("teacher", row.teacherLabel, row.teacherConfidence),
                ], leftAligned: [0, 1]))
        write("\n" + wrapped(labelKeys + ["s skip", "u undo", "q quit"]) + "> ")
    }

    /// The keys in as few lines as the width allows.
    private func wrapped(_ keys: [String]) -> String {
        var text = ""
        var line = ""
        for key in keys {
            let longer = line + "  " + key
            if !line.isEmpty, PrintableText.terminalColumns(longer) >= width {
                text += line + "\n"
                line = "  " + key
            } else {
                line = longer
            }
        }
        return text + line + "\n"
    }

    private func answer(_ labels: [String]) -> Answer {
        var isHinted = false
        while let byte = key() {
            switch byte {
            case UInt8(ascii: "s"): return .skip
            case UInt8(ascii: "u"), 0x7F, 0x08: return .undo
            // Control-C and Control-D: the terminal passes them on unchanged.
            case UInt8(ascii: "q"), 0x03, 0x04: return .quit
            case 0x1B: passOverSequence()
            default:
                if let index = Self.labelKeys.firstIndex(of: byte), index < labels.count {
                    return .label(labels[index])
                }
                // At most once per line: an accidental paste mustn't fill the screen.
                if !isHinted { write("(a key from the list) > ") }
                isHinted = true
            }
        }
        return .quit
    }

    /// Skips the sequence of a cursor or function key, which may contain digits and letters: ESC [ … up to a byte from
    /// @ on (ECMA-48 section 5.4), or ESC O and one byte.
    private func passOverSequence() {
        guard let kind = key() else { return }
        if kind == UInt8(ascii: "O") {
            _ = key()
        } else if kind == UInt8(ascii: "[") {
            while let byte = key(), !(0x40...0x7E).contains(byte) {}
        }
    }
}
