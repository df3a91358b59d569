import Diagnostics
import Testing

@Suite struct ProgressRendererTests {
    static let halfway = ProgressSnapshot(
        stage: "epoch 2/6", completed: 6450, total: 15_000, elapsed: .milliseconds(2150), loss: 0.51234,
        accuracy: 0.7743)

    @Test(arguments: [
        (ProgressRenderer.Characters.unicode, "━━━━━━━━━━━━━━━━━───────────────────────"),
        (.ascii, "=================>----------------------"),
    ])
    func wideBarsHoldEverything(characters: ProgressRenderer.Characters, drawing: String) {
        #expect(
            ProgressRenderer.bar(Self.halfway, width: 120, characters: characters)
                == "epoch 2/6  \(drawing)   43 %  loss 0.5123  accuracy 77.4 %  3,000 lines/s  0:03 left")
    }

    @Test(arguments: [
        (79, "epoch 2/6  ━━━━━━━━╸───────────   43 %  loss 0.5123  accuracy 77.4 %  0:03 left"),
        (60, "epoch 2/6  ━━━━━━━╸──────────   43 %  loss 0.5123  0:03 left"),
        (40, "epoch 2/6  ━━━━╸──────   43 %  0:03 left"),
        (28, "epoch 2/6   43 %  0:03 left"),
        (12, "epoch 2/6   "),
        (0, ""),
    ])
    func narrowBarsDropTheLeastImportantFirst(width: Int, expected: String) {
        let bar = ProgressRenderer.bar(Self.halfway, width: width)
        #expect(bar == expected)
        #expect(bar.count <= width)
    }

    @Test func everyWidthFits() {
        for width in 0...200 {
            #expect(ProgressRenderer.bar(Self.halfway, width: width).count <= width)
            #expect(ProgressRenderer.bar(Self.halfway, width: width, characters: .ascii).count <= width)
        }
    }

    @Test func theBarIsFullOnlyAtTheEnd() {
        var snapshot = Self.halfway
        snapshot.completed = 14_999
        #expect(ProgressRenderer.bar(snapshot, width: 100).contains("99 %"))
        #expect(ProgressRenderer.bar(snapshot, width: 100).contains("╸"))
        snapshot.completed = 15_000
        #expect(ProgressRenderer.bar(snapshot, width: 100).contains("100 %"))
        #expect(!ProgressRenderer.bar(snapshot, width: 100).contains("─"))
    }

    @Test func plainLinesSayTheSame() {
        #expect(
            ProgressRenderer.line(Self.halfway)
                == "epoch 2/6: 6,450 of 15,000 lines (43 %), loss 0.5123, accuracy 77.4 %, 3,000 lines/s, 0:03 left")
        #expect(
            ProgressRenderer.summary(Self.halfway)
                == "epoch 2/6: 6,450 lines in 0:02, loss 0.5123, accuracy 77.4 %, 3,000 lines/s")
    }

    @Test func unknownTotalsShowTheCount() {
        let snapshot = ProgressSnapshot(
            stage: "reading", unit: "files", completed: 12, total: nil, elapsed: .seconds(8))
        #expect(ProgressRenderer.bar(snapshot, width: 80) == "reading  12 files  1.50 files/s")
        #expect(ProgressRenderer.line(snapshot) == "reading: 12 files, 1.50 files/s")
    }

    @Test func nothingDoneYet() {
        let snapshot = ProgressSnapshot(stage: "teacher", completed: 0, total: 100, elapsed: .zero)
        #expect(ProgressRenderer.bar(snapshot, width: 30) == "teacher  ──────────────    0 %")
        #expect(ProgressRenderer.line(snapshot) == "teacher: 0 of 100 lines (0 %)")
        let empty = ProgressSnapshot(stage: "teacher", completed: 0, total: 0, elapsed: .zero)
        #expect(ProgressRenderer.line(empty) == "teacher: 0 of 0 lines")
    }
}

@Suite struct NumberTextTests {
    @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567"), (12, "12")])
    func thousandsAreSetApart(value: Int, expected: String) {
        #expect(NumberText.grouped(value) == expected)
    }

    @Test(arguments: [
        (0.125, 2, "0.12"), (0.375, 2, "0.38"), (-0.5, 0, "-0"), (1e300, 0, nil), (2.675, 2, "2.67"), (7, 3, "7.000"),
    ])
    func decimalsRoundAsInC(value: Double, digits: Int, expected: String?) {
        let text = NumberText.fixed(value, digits: digits)
        if let expected { #expect(text == expected) } else { #expect(Double(text) == value) }
    }

    @Test(arguments: [(0, "0:00"), (34.4, "0:34"), (725, "12:05"), (3723, "1:02:03"), (59.7, "1:00")])
    func clocksReadAsClocks(seconds: Double, expected: String) {
        #expect(NumberText.clock(.seconds(seconds)) == expected)
    }

    @Test(arguments: [(12345.6, "12,346"), (99.94, "99.9"), (1.5, "1.50"), (.infinity, "–"), (.nan, "–")])
    func ratesKeepTheirDigits(value: Double, expected: String) {
        #expect(NumberText.rate(value) == expected)
    }
}
