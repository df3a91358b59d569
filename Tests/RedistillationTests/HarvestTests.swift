import Bytes
import Distillation
import Models
import Redistillation
import Store
import Streams
import TestSupport
import Testing

@Suite(.offPool) struct HarvestTests {
    private static let labels = ["体育", "财经", "科技"]

    private func harvest(
        holdout: [String] = [], share: Double = 0.2, fingerprint: String = "aa"
    ) -> Harvest {
        Harvest(
            labels: Self.labels,
            holdout: DataSet(
                labels: Self.labels, lines: LineBatch(holdout),
                labelIndices: [Int32](repeating: 0, count: holdout.count)),
            heldOutShare: share, teacherFingerprint: fingerprint)
    }

    private func row(
        _ text: String, teacher: Int = 0, human: String? = nil, labels: [String] = labels,
        logits: [Float] = [2, 0, -1], fingerprint: String = "aa", time: Int64 = 5
    ) -> DisagreementRow {
        var row = DisagreementRow(
            id: StableHash.hash(text), source: "s", text: text, time: time, reason: .deferred,
            studentLogits: logits, teacherLogits: logits, labels: labels, studentLabel: labels[0],
            teacherLabel: labels[teacher], studentConfidence: 0.5, teacherConfidence: 0.9, student: "v1",
            teacher: "t", humanLabel: human)
        row.teacherFingerprint = fingerprint
        return row
    }

    /// Lines that have nothing in common.
    private func lines(_ count: Int) -> [String] {
        (0..<count).map { number in
            String(String.UnicodeScalarView((0..<12).compactMap { Unicode.Scalar(0x4E00 + UInt32(number * 12 + $0)) }))
        }
    }

    @Test func logitsGetTheStudentsOrder() throws {
        var harvest = harvest(share: 0.01)
        let turned = row("主队在加时赛中取胜", teacher: 2, labels: ["科技", "财经", "体育"], logits: [1, 2, 3])
        harvest.add(turned)
        let outcome = harvest.finish()
        let hash = StableHash.hash("主队在加时赛中取胜")
        #expect(outcome.known[hash] == [3, 2, 1])
        #expect(outcome.teacherLabels[hash] == 0)
        #expect(outcome.perLabel == [1, 0, 0])
    }

    @Test func whatCannotBeUsedIsCountedAndLeftOut() {
        var harvest = harvest()
        harvest.add(row("别的标签", labels: ["体育", "财经", "天气"]))
        harvest.add(row("少一个标签", labels: ["体育", "财经"], logits: [1, 2]))
        harvest.add(row("不是数字", logits: [.nan, 0, 0]))
        harvest.add(row("", logits: [1, 0, 0]))
        harvest.add(row(String(repeating: "长", count: 5000)))
        harvest.add(row("少一个数", logits: [1, 0]))
        let counts = harvest.finish(damaged: 3).counts
        #expect(counts.read == 6 && counts.otherLabels == 2 && counts.unusable == 4 && counts.damaged == 3)
        #expect(counts.learnt == 0 && counts.heldOut == 0)
    }

    /// The newest row of a text counts; what a human has said outlives a newer row without a label.
    @Test func theNewestRowCountsAndHumansOutliveIt() {
        var harvest = harvest(share: 0.01)
        harvest.add(row("新款芯片发布会", teacher: 0, human: "科技", time: 1))
        harvest.add(row("新款芯片发布会", teacher: 1, logits: [0, 5, 0], time: 9))
        let outcome = harvest.finish()
        #expect(outcome.counts.duplicates == 1 && outcome.counts.humanLabels == 1)
        #expect(outcome.learnt.labelIndices == [2])
        #expect(outcome.known.values.first == [0, 5, 0])
        #expect(outcome.trusted.count == 1 && outcome.window?.last == 9)
    }

    @Test func nearlyTheSameIsLearntOnce() {
        var harvest = harvest(share: 0.01)
        harvest.add(row("央行宣布下调存款准备金率0.5个百分点释放长期资金"))
        harvest.add(row("央行宣布：下调存款准备金率 0.25 个百分点，释放长期资金！"))
        harvest.add(row("本届马拉松赛吸引三万名选手报名参加"))
        let outcome = harvest.finish()
        #expect(outcome.counts.nearDuplicates == 1 && outcome.counts.learnt + outcome.counts.heldOut == 2)
    }

    @Test func theHoldoutIsNeverLearnt() {
        var harvest = harvest(holdout: ["央行宣布下调存款准备金率释放长期资金", "本届马拉松赛吸引三万名选手报名参加"])
        harvest.add(row("央行宣布：下调存款准备金率，释放长期资金。"))
        harvest.add(row("央行宣布下调存款准备金率释放长期资金"))
        harvest.add(row("老城区改造工程今日动工"))
        let counts = harvest.finish().counts
        #expect(counts.inHoldout == 2 && counts.overlappingHoldoutLines == 1)
        #expect(counts.learnt + counts.heldOut == 1)
    }

    /// A line's side hangs on its letters alone.
    @Test func sidesStayTheSame() {
        let texts = lines(400)
        var first = harvest()
        for text in texts { first.add(row(text)) }
        var second = harvest()
        for text in texts.reversed().prefix(250) { second.add(row(text)) }
        let one = first.finish()
        let two = second.finish()
        let held = Set(one.heldOut.textHashes)
        #expect(two.heldOut.textHashes.allSatisfy(held.contains))
        #expect(two.learnt.textHashes.allSatisfy { !held.contains($0) })
        #expect((50...110).contains(one.counts.heldOut))
    }

    @Test func anotherTeachersLogitsAreNotTaken() {
        var harvest = harvest(share: 0.01)
        harvest.add(row("一行新闻标题", fingerprint: "bb"))
        harvest.add(row("不知道是谁说的", fingerprint: ""))
        let outcome = harvest.finish()
        #expect(outcome.known.isEmpty && outcome.counts.otherTeacher == 2 && outcome.counts.learnt == 2)
    }

    @Test func replayTakesLabelledLinesFirst() {
        let texts = lines(30)
        let base = DataSet(
            labels: Self.labels, lines: LineBatch(texts), labelIndices: (0..<30).map { $0 % 3 == 0 ? 1 : -1 })
        func set(_ texts: [String]) -> DataSet {
            DataSet(
                labels: Self.labels, lines: LineBatch(texts), labelIndices: [Int32](repeating: -1, count: texts.count))
        }
        let chosen = ReplaySample.choose(
            12, from: base, seed: 3, holdout: set([texts[0] + "！"]), log: set([texts[3]]))
        #expect(chosen.count == 12)
        #expect(chosen.labelledCount == 8)
        let chosenTexts = Set((0..<chosen.count).map { chosen.text($0) })
        #expect(!chosenTexts.contains(texts[0]) && !chosenTexts.contains(texts[3]))
        let again = ReplaySample.choose(12, from: base, seed: 3, holdout: set([texts[0] + "！"]), log: set([texts[3]]))
        #expect(again.textHashes == chosen.textHashes)
    }
}
