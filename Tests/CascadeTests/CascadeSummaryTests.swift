import Cascade
import Streams
import Testing

@Suite struct CascadeSummaryTests {
    @Test func everythingThatHappened() {
        var tally = CascadeTally(labels: 3)
        tally.lines = 1_234_567
        tally.blank = 12
        tally.flaws[LineFlaw.Kind.notUTF8.index] = 3
        tally.flaws[LineFlaw.Kind.tooLong.index] = 1
        tally.answers = [200_000, 1_000_000, 34_551]
        tally.deferred = 123_455
        tally.disagreements = 4_000
        tally.skips[CascadeTally.Skip.broken.index] = 2
        let disagreements = [CascadeSummary.Disagreement(text: "书法\u{1b}赛", student: 0, teacher: 1)]
        let text = CascadeSummary(
            tally: tally, labels: ["sports", "culture", "news"], seconds: 2, disagreements: disagreements
        ).text
        #expect(
            text == """
                1,234,567 lines in 2.00 s (617,284 lines/s)
                  1,234,551 answered, 12 blank, 4 refused (3 not_utf8, 1 too_long)
                  123,455 deferred to the teacher (10.0 %), which disagreed on 4,000 and skipped 2
                  culture  1,000,000  81.0 %
                  sports     200,000  16.2 %
                  news        34,551  2.8 %
                  disagreements, student → teacher:
                    sports → culture  书法\\u{1b}赛
                    and 3,999 more

                """)
    }

    @Test func nothingHappened() {
        let text = CascadeSummary(tally: CascadeTally(labels: 1), labels: ["a"], seconds: 0).text
        #expect(text == "0 lines in 0.00 s (0 lines/s)\n  0 answered\n  none deferred to the teacher\n  a  0  0.0 %\n")
    }
}
