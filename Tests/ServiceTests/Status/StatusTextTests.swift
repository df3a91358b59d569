import Service
import Testing

@Suite struct StatusTextTests {
    /// Times are told in the machine's zone; the golden text has none.
    private func timeless(_ text: String) -> String {
        text.replacing(/\d\d:\d\d:\d\d/, with: "hh:mm:ss")
    }

    @Test func looksAsItWasLookedAt() throws {
        try StatusGolden.check(timeless(StatusText(StatusSamples.ready()).text), "status.txt")
        var status = StatusSamples.ready()
        status.teacher.circuit = .open
        status.warnings = [
            "The teacher failed and is left alone for a while; the student answers alone until it comes back.",
            "Nothing has been committed for 42 s; see the log.",
        ]
        try StatusGolden.check(timeless(StatusText(status, width: 72).text), "status-warnings.txt")
    }

    @Test func looksAsItWasLookedAtBeforeAnythingHappened() throws {
        var status = ServiceStatus(
            phase: .starting, since: 100, message: "Loading the teacher.", time: 103, version: "1.2.3", pid: 4711,
            uptimeSeconds: 3)
        try StatusGolden.check(StatusText(status).text, "status-starting.txt")
        status.phase = .failed
        #expect(StatusText(status).text.hasPrefix("● Failed"))
    }

    @Test(arguments: StatusSamples.attacks, [20, 75, 80, 120, 500])
    func nothingLeavesItsPlace(attack: String, width: Int) {
        let text = StatusText(StatusSamples.hostile(attack), width: width).text
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            #expect(DisplayText.width(String(line)) <= min(120, max(72, width)), "\(line)")
        }
        let forbidden = text.unicodeScalars.filter {
            $0 != "\n" && ($0.properties.generalCategory == .control || $0.properties.generalCategory == .format)
        }
        #expect(forbidden.isEmpty)
        #expect(text.utf8.count < 40_000)
    }

    @Test func coloursAreOnlyThereWhenAskedFor() {
        #expect(!StatusText(StatusSamples.ready()).text.contains("\u{1B}"))
        let coloured = StatusText(StatusSamples.ready(), colours: true).text
        #expect(coloured.contains("\u{1B}[32m●\u{1B}[0m"))
        #expect(coloured.replacing(/\u{1B}\[\d*m/, with: "") == StatusText(StatusSamples.ready()).text)
    }

    @Test(arguments: [
        ("plain", 10, "plain"), ("体育新闻", 8, "体育新闻"), ("体育新闻", 7, "体育新…"), ("体育新闻", 6, "体育…"), ("abcdef", 4, "abc…"),
        ("a\tb\u{7}", 9, "a b\u{FFFD}"), ("é", 1, "é"), ("", 0, ""), ("x", 0, ""),
    ])
    func textIsCutByColumns(text: String, columns: Int, expected: String) {
        let shown = DisplayText.clean(text, columns: columns)
        #expect(shown == expected)
        #expect(DisplayText.width(shown) <= columns)
    }
}
