import Diagnostics
import Store
import Testing

@Suite struct LabelDialogueTests {
    private struct Answer: Equatable {
        var id: UInt64
        var label: String?
    }

    /// Types `keys` at the dialogue over `rows`.
    private static func run(
        _ rows: [DisagreementRow], keys: String
    ) throws(UnderstudyError) -> (outcome: LabelDialogue.Outcome, kept: [Answer], screen: String) {
        var waiting = Array(keys.utf8)[...]
        var screen = ""
        var kept: [Answer] = []
        let dialogue = LabelDialogue(width: 60, key: { waiting.popFirst() }, write: { screen += $0 })
        let outcome = try dialogue.run(rows) { id, label in kept.append(Answer(id: id, label: label)) }
        return (outcome, kept, screen)
    }

    private static let rows = (1...3 as ClosedRange<UInt64>).map { Samples.row(id: $0, text: "第\($0)条\u{1b}[2J") }

    @Test func labelsSkipsAndShowsBothOpinions() throws {
        let (outcome, kept, screen) = try Self.run(Self.rows, keys: "2s1")
        #expect(kept == [Answer(id: 1, label: Samples.labels[1]), Answer(id: 3, label: Samples.labels[0])])
        #expect(outcome == LabelDialogue.Outcome(labelled: 2, skipped: 1, hasQuit: false))
        for text in ["1 of 3", "3 of 3", "第2条", "体育", "61.0 %", "93.0 %", "3 科技", "s skip"] {
            #expect(screen.contains(text), "\(text)")
        }
        #expect(!screen.contains("\u{1b}"))
    }

    @Test func undoTakesBackAcrossSkips() throws {
        let (outcome, kept, _) = try Self.run(Self.rows, keys: "2suu3ss")
        #expect(
            kept == [
                Answer(id: 1, label: Samples.labels[1]), Answer(id: 1, label: nil),
                Answer(id: 1, label: Samples.labels[2]),
            ])
        #expect(outcome == LabelDialogue.Outcome(labelled: 1, skipped: 2, hasQuit: false))
    }

    @Test func undoAtTheStartDoesNothing() throws {
        let (outcome, kept, screen) = try Self.run(Self.rows, keys: "uq")
        #expect(kept.isEmpty && outcome.hasQuit)
        #expect(screen.contains("nothing to undo"))
    }

    @Test(arguments: ["q", "\u{3}", "\u{4}", ""]) func leaving(key: String) throws {
        let (outcome, kept, _) = try Self.run(Self.rows, keys: "1" + key)
        #expect(outcome == LabelDialogue.Outcome(labelled: 1, skipped: 0, hasQuit: true))
        #expect(kept.count == 1)
    }

    /// Cursor keys, function keys and letters outside of ASCII hold bytes that would be answers by themselves.
    @Test(arguments: ["\u{1b}[A", "\u{1b}[15~", "\u{1b}OP", "\u{1b}[1;2D", "9", "0", "X", "é", "体"])
    func keysThatMeanNothing(key: String) throws {
        let (_, kept, _) = try Self.run(Self.rows, keys: key + "1q")
        #expect(kept == [Answer(id: 1, label: Samples.labels[0])])
    }

    @Test func moreLabelsThanDigits() throws {
        var row = Self.rows[0]
        row.labels = (1...32).map { "类\($0)" }
        #expect(try Self.run([row], keys: "9").kept == [Answer(id: 1, label: "类9")])
        #expect(try Self.run([row], keys: "a").kept == [Answer(id: 1, label: "类10")])
        #expect(try Self.run([row], keys: "z").kept == [Answer(id: 1, label: "类32")])
        row.labels.append("类33")
        #expect(throws: UnderstudyError.self) { try Self.run([row], keys: "1") }
    }
}
