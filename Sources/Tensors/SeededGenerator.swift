import Glibc

/// A random generator with the same numbers for the same seed, on every machine and in every version.
///
/// xoshiro256** 1.0 (Blackman & Vigna, "Scrambled linear pseudorandom number generators", 2021), its state initialised
/// by SplitMix64 (Steele, Lea & Flood, 2014) as its authors recommend. Not for cryptography.
///
/// The standard library's `shuffle(using:)` and `random(in:using:)` may use a generator's numbers differently in a
/// later release; the methods here don't.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)
    // The second of a pair of normal numbers, kept for the next call.
    private var spareNormal: Double?

    public init(seed: UInt64) {
        var counter = seed
        state = (
            Self.splitMix64(&counter), Self.splitMix64(&counter), Self.splitMix64(&counter), Self.splitMix64(&counter)
        )
    }

    /// A generator for one part of the work, independent of the others, so that the parts may run in any order.
    public init(seed: UInt64, stream: UInt64) {
        var counter = stream
        self.init(seed: seed ^ Self.splitMix64(&counter))
    }

    /// The next number of SplitMix64; `counter` is its whole state.
    public static func splitMix64(_ counter: inout UInt64) -> UInt64 {
        counter &+= 0x9e37_79b9_7f4a_7c15
        var mixed = counter
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    public mutating func next() -> UInt64 {
        let product = state.1 &* 5
        let result = ((product << 7) | (product >> 57)) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = (state.3 << 45) | (state.3 >> 19)
        return result
    }

    /// An integer, uniform over 0 ..< bound, without bias (Lemire, "Fast random integer generation in an interval",
    /// 2019). `bound` must be positive.
    public mutating func next(below bound: Int) -> Int {
        precondition(bound > 0, "an empty range has no random number")
        let range = UInt64(bound)
        var product = next().multipliedFullWidth(by: range)
        if product.low < range {
            let threshold = (0 &- range) % range
            while product.low < threshold { product = next().multipliedFullWidth(by: range) }
        }
        return Int(product.high)
    }

    /// Uniform over [0, 1), a multiple of 2⁻²⁴: every value is exact in f32.
    public mutating func uniform() -> Float {
        Float(next() >> 40) * 0x1p-24
    }

    /// Uniform over [lower, upper).
    public mutating func uniform(_ lower: Float, _ upper: Float) -> Float {
        // Rounding may give `upper` itself.
        min(lower + (upper - lower) * uniform(), upper == lower ? upper : upper.nextDown)
    }

    /// Uniform over [0, 1), a multiple of 2⁻⁵³.
    public mutating func uniformDouble() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Normal with mean 0 and standard deviation 1 (Marsaglia's polar method, which makes pairs; the second number is
    /// kept).
    public mutating func normal() -> Float {
        if let spare = spareNormal {
            spareNormal = nil
            return Float(spare)
        }
        while true {
            let x = 2 * uniformDouble() - 1
            let y = 2 * uniformDouble() - 1
            let square = x * x + y * y
            guard square > 0, square < 1 else { continue }
            let factor = (-2 * log(square) / square).squareRoot()
            spareNormal = y * factor
            return Float(x * factor)
        }
    }

    /// True with the given probability.
    public mutating func chance(_ probability: Float) -> Bool {
        uniform() < probability
    }

    /// Puts `elements` in random order (Fisher–Yates).
    public mutating func shuffle<Element>(_ elements: inout [Element]) {
        var last = elements.count - 1
        while last > 0 {
            elements.swapAt(last, next(below: last + 1))
            last -= 1
        }
    }

    /// The numbers 0 ..< count in random order.
    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        shuffle(&order)
        return order
    }
}
