import Diagnostics
import Store
import Streams
import TestSupport
import Testing

@Suite(.offPool) struct StatisticsTests {
    private static let noon: Int64 = 1_795_003_200_000_000

    @Test func figures() throws {
        let folder = try TemporaryFolder()
        let store = try Store.open(directory: folder.path) { _ in }
        let labels = Samples.labels
        try store.commit(
            Commit(disagreements: [
                Samples.row(id: 1, time: Self.noon, student: 0, teacher: 1, human: labels[1]),
                Samples.row(id: 2, time: Self.noon, student: 0, teacher: 1, text: "最新的例子", human: labels[0]),
                Samples.row(id: 3, time: Self.noon, student: 2, teacher: 1, human: labels[0]),
                Samples.row(id: 4, time: Self.noon + TimeText.day, student: 1, teacher: 1, human: labels[1]),
                Samples.row(id: 5, time: Self.noon + TimeText.day, student: 1, teacher: 1, reason: .audit),
                Samples.row(id: 6, time: Self.noon + TimeText.day, student: 1, teacher: 0, reason: .audit),
            ]))
        let statistics = try store.disagreementStatistics(pairs: 2)
        #expect(statistics.all == Agreement(asked: 6, agreed: 2))
        #expect(statistics.deferred == Agreement(asked: 4, agreed: 1))
        #expect(statistics.audit == Agreement(asked: 2, agreed: 1))
        #expect(statistics.humanWithStudent == Agreement(asked: 4, agreed: 2))
        #expect(statistics.humanWithTeacher == Agreement(asked: 4, agreed: 2))
        #expect(statistics.days.map(\.agreement) == [Agreement(asked: 3), Agreement(asked: 3, agreed: 2)])
        #expect(statistics.days.map { TimeText.date($0.start) } == ["2026-11-18", "2026-11-19"])
        #expect(statistics.pairs.map(\.rows) == [2, 1])
        #expect(statistics.pairs[0].student == labels[0] && statistics.pairs[0].teacher == labels[1])
        #expect(statistics.pairs[0].example == "最新的例子")
        let audits = try store.disagreementStatistics(matching: DisagreementFilter(reason: .audit))
        #expect(audits.all == Agreement(asked: 2, agreed: 1) && audits.humanLabels == 0)
        #expect(statistics.text(width: 60).contains("33.3 %"))
        #expect(statistics.json().hasPrefix("{\"all\":{\"rows\":6,\"agreed\":2},"))
    }

    @Test func anEmptyLog() throws {
        let folder = try TemporaryFolder()
        let store = try Store.open(directory: folder.path) { _ in }
        #expect(try store.disagreementStatistics() == DisagreementStatistics())
        #expect(try store.disagreementStatistics().text(width: nil) == "The log has no such rows.\n")
        #expect(
            try store.auditAgreement(hours: 3, now: Self.noon).map(\.agreement) == [
                Agreement(), Agreement(), Agreement(),
            ])
    }

    @Test func auditByTheHour() throws {
        let folder = try TemporaryFolder()
        let store = try Store.open(directory: folder.path) { _ in }
        let now = Self.noon + 10 * 60 * TimeText.second
        // One row every 20 minutes for 5 hours; every third one is a disagreement; what is deferred doesn't count.
        try store.commit(
            Commit(
                disagreements: (0..<15 as Range<UInt64>).map { number in
                    Samples.row(
                        id: number, time: now - Int64(number) * 20 * 60 * TimeText.second, student: 0,
                        teacher: number % 3 == 0 ? 1 : 0, reason: .audit)
                } + [Samples.row(id: 99, time: now)]))
        let hours = try store.auditAgreement(hours: 3, now: now)
        #expect(hours.map(\.start) == [-2, -1, 0].map { Self.noon + $0 * TimeText.hour })
        #expect(hours.map(\.agreement.asked) == [3, 3, 1])
        #expect(hours.map(\.agreement.agreed) == [2, 2, 0])
    }
}
