import Tensors
import Testing

@Suite struct SeededGeneratorTests {
    /// Made with a separate implementation in Python; the first of seed 0 is also what Rust's rand_xoshiro documents.
    @Test(
        arguments: [
            (0, [0x99ec_5f36_cb75_f2b4, 0xbf6e_1f78_4956_452a, 0x1a5f_849d_4933_e6e0, 0x6aa5_94f1_262d_2d2c]),
            (42, [0x1578_0b2e_0c2e_c716, 0x6104_d986_6d11_3a7e, 0xae17_5332_39e4_99a1, 0xecb8_ad47_03b3_60a1]),
        ] as [(UInt64, [UInt64])])
    func givesTheReferenceNumbers(seed: UInt64, expected: [UInt64]) {
        var generator = SeededGenerator(seed: seed)
        #expect(expected.map { _ in generator.next() } == expected)
    }

    @Test func uniformNumbersFillTheUnitInterval() {
        var generator = SeededGenerator(seed: 1)
        var counts = [Int](repeating: 0, count: 10)
        for _ in 0..<100_000 {
            let value = generator.uniform()
            #expect(value >= 0 && value < 1)
            counts[Int(value * 10)] += 1
        }
        // 10,000 each, standard deviation 95: six of them.
        #expect(counts.allSatisfy { abs($0 - 10_000) < 570 })
    }

    @Test func rangesKeepTheirBounds() {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<10_000 {
            let value = generator.uniform(-0.1, 0.1)
            #expect(value >= -0.1 && value < 0.1)
        }
        #expect(generator.uniform(3, 3) == 3)
    }

    @Test func normalNumbersHaveTheMomentsOfTheNormal() {
        var generator = SeededGenerator(seed: 3)
        let count = 200_000
        let values = (0..<count).map { _ in Double(generator.normal()) }
        let mean = values.reduce(0, +) / Double(count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
        let fourth = values.reduce(0) { $0 + $1 * $1 * $1 * $1 } / Double(count)
        #expect(abs(mean) < 0.015)
        #expect(abs(variance - 1) < 0.02)
        #expect(abs(fourth - 3) < 0.15)
    }

    @Test func wholeNumbersAreUnbiasedAndShufflesArePermutations() {
        var generator = SeededGenerator(seed: 4)
        var counts = [Int](repeating: 0, count: 6)
        for _ in 0..<60_000 { counts[generator.next(below: 6)] += 1 }
        #expect(counts.allSatisfy { abs($0 - 10_000) < 570 })
        let order = generator.permutation(1000)
        #expect(order != Array(0..<1000))
        #expect(order.sorted() == Array(0..<1000))
        // Every order of three is about as frequent.
        var orders: [[Int]: Int] = [:]
        for _ in 0..<6000 { orders[generator.permutation(3), default: 0] += 1 }
        #expect(orders.count == 6)
        #expect(orders.values.allSatisfy { abs($0 - 1000) < 180 })
    }

    @Test func streamsDiffer() {
        var one = SeededGenerator(seed: 7, stream: 0)
        var other = SeededGenerator(seed: 7, stream: 1)
        var again = SeededGenerator(seed: 7, stream: 0)
        let first = one.next()
        #expect(first != other.next())
        #expect(first == again.next())
    }
}
