import Diagnostics
import Foundation
import Testing

@Suite struct TimeTextTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_795_003_200_000_007, "2026-11-18T12:00:00.000007Z"),
        ] as [(Int64, String)])
    func moments(time: Int64, text: String) {
        #expect(TimeText.exact(time) == text)
        #expect(TimeText.parse(String(text.prefix(19)), now: 0) == time - (time % 1_000_000 + 1_000_000) % 1_000_000)
    }

    /// Against Foundation, from 1621 on (before 1582 it counts by the Julian calendar).
    @Test func agreesWithFoundation() {
        let formatter = ISO8601DateFormatter()
        for step in stride(from: Int64(-11_000_000_000), to: 250_000_000_000, by: 7_919_123_457) {
            let expected = formatter.string(from: Date(timeIntervalSince1970: Double(step)))
            #expect(TimeText.exact(step * TimeText.second) == expected.dropLast() + ".000000Z")
        }
    }

    @Test func extremesDoNotTrap() {
        for time in [Int64.min, .min + 1, .max] { #expect(!TimeText.exact(time).isEmpty) }
        #expect(TimeText.parse("9223372036854775807d", now: 0) == nil)
    }

    @Test func whatPeopleGive() {
        let now: Int64 = 1_795_003_200_000_000
        #expect(TimeText.parse("30m", now: now) == now - 1800 * TimeText.second)
        #expect(TimeText.parse("24h", now: now) == now - TimeText.day)
        #expect(TimeText.parse("7d", now: now) == now - 7 * TimeText.day)
        #expect(TimeText.parse("2026-11-18", now: 0) == now - TimeText.day / 2)
        #expect(TimeText.parse("2026-11-18T12:00", now: 0) == now)
        #expect(TimeText.parse("2026-11-18 12:00:00Z", now: 0) == now)
        #expect(TimeText.minute(now) == "2026-11-18 12:00")
    }

    @Test(arguments: [
        "", "m", "-5m", "yesterday", "2026-13-01", "2026-02-29", "2026-11-18T24:00", "2026-11-1", "２０26-11-18",
    ])
    func whatIsNoTime(text: String) {
        #expect(TimeText.parse(text, now: 0) == nil)
    }
}
