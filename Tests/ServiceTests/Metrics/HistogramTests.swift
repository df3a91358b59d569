import Service
import TestSupport
import Testing

@Suite struct HistogramTests {
    @Test(arguments: 0..<10) func countsByBound(seed: Int) {
        var generator = SplitMix(seed: UInt64(seed))
        let bounds = [0.5, 1, 2, 8]
        var histogram = Histogram(bounds: bounds)
        var all: [Double] = []
        for _ in 0..<200 {
            let value =
                Bool.random(using: &generator)
                ? bounds.randomElement(using: &generator) ?? 0
                : Double.random(
                    in: 0...10, using: &generator)
            let times = Int.random(in: 1...3, using: &generator)
            histogram.add(value, times: times)
            all += [Double](repeating: value, count: times)
        }
        #expect(histogram.count == all.count)
        #expect(abs(histogram.sum - all.reduce(0, +)) < 1e-6)
        var cumulative = 0
        for (index, bound) in bounds.enumerated() {
            cumulative += histogram.counts[index]
            #expect(cumulative == all.count { $0 <= bound })
        }
        all.sort()
        for share in [0.01, 0.5, 0.9] {
            let exact = all[Int((share * Double(all.count)).rounded(.up)) - 1]
            let upper = bounds.first { $0 >= exact } ?? 8
            let lower = bounds.last { $0 < exact } ?? 0
            let quantile = histogram.quantile(share) ?? -1
            #expect(quantile >= min(lower, 8) && quantile <= upper)
        }
    }

    @Test func hasNoQuantileWithoutValues() {
        #expect(Histogram(bounds: [1, 2]).quantile(0.5) == nil)
    }
}
