import Diagnostics
import Synchronization
import Testing

/// A clock that moves when told, and all that a meter wrote.
private final class Script: Sendable {
    let time = Mutex(Duration.zero)
    let written = Mutex("")

    func meter(_ style: ProgressMeter.Style) -> ProgressMeter {
        ProgressMeter(
            style: style, now: { self.time.withLock { $0 } }, write: { text in self.written.withLock { $0 += text } })
    }

    func pass(_ duration: Duration) { time.withLock { $0 += duration } }

    /// What was written since the last call.
    func taken() -> String {
        written.withLock { text in
            defer { text = "" }
            return text
        }
    }
}

@Suite struct ProgressMeterTests {
    private let script = Script()
    private let bar = ProgressMeter.Style.bar(characters: .ascii, width: { 61 })

    @Test func aBarIsRedrawnInPlaceAndLeavesASummary() {
        let meter = script.meter(bar)
        meter.begin("epoch 1/2", total: 200)
        #expect(script.taken() == "\repoch 1/2  >---------------------------------------    0 %\u{1B}[K")
        script.pass(.seconds(1))
        meter.advance(by: 50, loss: 1.25, accuracy: 0.5)
        #expect(script.taken() == "\repoch 1/2  ====>-------------   25 %  loss 1.2500  0:03 left\u{1B}[K")
        script.pass(.seconds(3))
        meter.advance(by: 150, loss: 0.75)
        _ = script.taken()
        meter.end()
        #expect(
            script.taken()
                == "\r\u{1B}[Kepoch 1/2: 200 lines in 0:04, loss 0.7500, accuracy 50.0 %, 50.0 lines/s\n")
    }

    @Test func aBarIsDrawnTenTimesASecondAtMost() {
        let meter = script.meter(bar)
        meter.begin("scoring", total: 1000)
        var drawings = 0
        _ = script.taken()
        for _ in 0..<1000 {
            script.pass(.milliseconds(1))
            meter.advance()
            if !script.taken().isEmpty { drawings += 1 }
        }
        #expect(drawings == 10)
    }

    @Test func plainLinesComeOncePerInterval() {
        let meter = script.meter(.lines(every: .seconds(10)))
        meter.begin("teacher", total: 300)
        #expect(script.taken() == "")
        for _ in 0..<29 {
            script.pass(.seconds(1))
            meter.advance(by: 10)
        }
        #expect(
            script.taken() == """
                teacher: 100 of 300 lines (33 %), 10.0 lines/s, 0:20 left
                teacher: 200 of 300 lines (66 %), 10.0 lines/s, 0:10 left

                """)
        script.pass(.seconds(1))
        meter.advance(by: 10)
        meter.end()
        #expect(
            script.taken() == """
                teacher: 300 of 300 lines (100 %), 10.0 lines/s, 0:00 left
                teacher: 300 lines in 0:30, 10.0 lines/s

                """)
    }

    @Test func aNewStageEndsTheOldOne() {
        let meter = script.meter(.lines(every: .seconds(10)))
        meter.begin("one", total: 2)
        meter.advance(by: 2)
        meter.begin("two", total: nil, unit: "files")
        #expect(script.taken() == "one: 2 lines in 0:00\n")
        meter.end()
        meter.end()
        meter.advance()
        #expect(script.taken() == "two: 0 files in 0:00\n")
    }

    @Test func notesStandAboveTheBar() {
        let meter = script.meter(bar)
        meter.begin("epoch 1/2", total: 200)
        _ = script.taken()
        meter.note("kept the best so far")
        #expect(
            script.taken()
                == "\r\u{1B}[Kkept the best so far\n\repoch 1/2  >---------------------------------------    0 %\u{1B}[K"
        )
        meter.end()
        _ = script.taken()
        meter.note("after")
        #expect(script.taken() == "\r\u{1B}[Kafter\n")
    }

    @Test func othersMayWriteBesideTheBar() throws {
        let meter = script.meter(bar)
        meter.begin("classify", total: nil)
        script.pass(.seconds(1))
        meter.advance(by: 1500, deferred: 0.071)
        #expect(script.taken().hasSuffix("\rclassify  1,500 lines  7.1 % deferred  1,500 lines/s\u{1B}[K"))
        let outcome = try meter.aside { () throws(UnderstudyError) in 7 }
        #expect(outcome == 7)
        #expect(
            script.taken() == "\r\u{1B}[K\rclassify  1,500 lines  7.1 % deferred  1,500 lines/s\u{1B}[K")
        meter.cancel()
        #expect(script.taken() == "\r\u{1B}[K")
        meter.cancel()
        _ = try meter.aside { () throws(UnderstudyError) in 0 }
        #expect(script.taken() == "")
    }

    @Test func aSilentMeterIsSilent() {
        let meter = script.meter(.silent)
        meter.begin("x", total: 1)
        meter.advance()
        meter.note("y")
        meter.end()
        #expect(script.taken() == "")
    }

    @Test func threadsMayReportAtOnce() async {
        let meter = script.meter(.lines(every: .seconds(10)))
        meter.begin("threads", total: 4000)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { for _ in 0..<1000 { meter.advance() } }
            }
        }
        script.pass(.seconds(4))
        meter.end()
        #expect(script.taken() == "threads: 4,000 lines in 0:04, 1,000 lines/s\n")
    }
}
