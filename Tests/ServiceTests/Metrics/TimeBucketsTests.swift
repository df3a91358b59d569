import Service
import TestSupport
import Testing

@Suite struct TimeBucketsTests {
    /// Against a list of everything that was counted.
    @Test(arguments: 0..<20) func keepsWhatIsNotTooOld(seed: Int) {
        var generator = SplitMix(seed: UInt64(seed))
        let count = Int.random(in: 1...12, using: &generator)
        var buckets = TimeBuckets(seconds: 2, count: count)
        var all: [(span: Int, amount: Int)] = []
        var time = Double.random(in: -50...50, using: &generator)
        for _ in 0..<300 {
            if Int.random(in: 0..<3, using: &generator) == 0 { time += Double.random(in: 0...9, using: &generator) }
            if Int.random(in: 0..<40, using: &generator) == 0 { time += 1000 }
            let amount = Int.random(in: 0...9, using: &generator)
            buckets.add(amount, at: time)
            all.append((Int((time / 2).rounded(.down)), amount))
            let later = time + Double.random(in: 0...30, using: &generator)
            let last = Int((later / 2).rounded(.down))
            let expected = (0..<count).map { index in
                let span = last - count + 1 + index
                return all.reduce(0) { $0 + ($1.span == span ? $1.amount : 0) }
            }
            #expect(buckets.values(at: later) == expected)
        }
    }

    /// A clock that was a year ahead must not silence the counts for a year.
    @Test func aClockThatIsSetBackBeginsAnew() {
        var hours = TimeBuckets(seconds: 3600, count: 48)
        hours.add(5, at: 1_000_000_000)
        hours.add(7, at: 900_000_000)
        #expect(hours.values(at: 900_000_000).last == 7 && hours.values(at: 900_000_000).reduce(0, +) == 7)
        // Within what is kept nothing is forgotten.
        hours.add(2, at: 900_000_000 - 3600)
        #expect(hours.values(at: 900_000_000).reduce(0, +) == 9)
    }

    @Test func ratesCoverTheLastMinute() {
        var pace = TimeBuckets(seconds: 1, count: 61)
        for second in 0..<200 {
            if second == 130 { #expect(pace.rate(at: 130.5, since: 0) == 25) }
            pace.add(second < 100 ? 10 : 40, at: Double(second) + 0.5)
        }
        #expect(pace.rate(at: 200.2, since: 0) == 40)
        #expect(pace.rate(at: 1000, since: 0) == 0)
    }

    @Test func ratesRightAfterTheStartCoverWhatThereWas() {
        var pace = TimeBuckets(seconds: 1, count: 61)
        #expect(pace.rate(at: 10, since: 10) == 0)
        pace.add(30, at: 10.1)
        #expect(pace.rate(at: 10.5, since: 10) == 30)
        pace.add(30, at: 11.1)
        #expect(pace.rate(at: 12.5, since: 10) == 30)
    }
}
