import Diagnostics
import Streams
import Testing

@Suite struct RateLimitedReportTests {
    @Test func twoAMinutePassForEachKey() {
        let notes = SinkNotes()
        let clock = Monitor(Int64(1000))
        let report = RateLimitedReport(notes.report, seconds: { clock.withLock { $0 } })
        let full = UnderstudyError(.inputOutput, "no space left", at: "/a")
        for _ in 0..<100 { report("/a", full) }
        #expect(notes.reported == [full, full])
        report("/b", UnderstudyError(.inputOutput, "no space left", at: "/b"))
        #expect(notes.reported.count == 3)
        clock.withLock { $0 += 59 }
        report("/a", full)
        #expect(notes.reported.count == 3)
        clock.withLock { $0 += 1 }
        report("/a", full)
        report("/a", full)
        #expect(notes.reported.count == 5)
        #expect(notes.reported[3].message == "no space left (suppressed 99 times before this)")
        #expect(notes.reported[3].place == "/a")
        #expect(notes.reported[4] == full)
    }

    @Test func manyKeysDoNotFillTheMemory() {
        let notes = SinkNotes()
        let report = RateLimitedReport(notes.report, seconds: { 0 })
        for index in 0..<2000 { report("\(index)", UnderstudyError(.inputOutput, "no space left")) }
        #expect(notes.reported.count == 2000)
    }
}
