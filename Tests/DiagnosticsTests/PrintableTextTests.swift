import Diagnostics
import Testing

@Suite struct PrintableTextTests {
    @Test(arguments: [
        ("短", 2, "短"), ("短行", 3, "短…"), ("短行", 4, "短行"), ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("", 5, ""),
        ("e\u{301}e\u{301}", 2, "e\u{301}e\u{301}"), ("短", 1, "…"),
    ])
    func cutting(text: String, columns: Int, expected: String) {
        #expect(PrintableText.cut(text, columns: columns) == expected)
    }

    @Test func aHugeTextIsCut() {
        let cut = PrintableText.cut(String(repeating: "长", count: 1_000_000), columns: 11)
        #expect(cut == "长长长长长…")
    }

    @Test func columnsAlign() {
        let table = PrintableText.table([["名", "12", "文"], ["long", "3", "x"]], leftAligned: [0, 2])
        #expect(table == "名    12  文\nlong   3  x\n")
    }

    @Test func whatRewritesTheScreenIsShown() {
        #expect(PrintableText.escaped("a\u{1b}[2J\u{202e}\u{85}") == "a\\u{1b}[2J\\u{202e}\\u{85}")
    }
}
