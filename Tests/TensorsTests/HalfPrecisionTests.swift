import Foundation
import Tensors
import Testing

/// Our conversions against the hardware's and Swift's own `Float16`, and against NumPy's and PyTorch's roundings.
@Suite struct HalfPrecisionTests {
    @Test func everyF16PatternWidensAsFloat16Does() {
        for pattern in UInt16.min...UInt16.max {
            let ours = HalfPrecision.single(fromF16: pattern)
            let theirs = Float(Float16(bitPattern: pattern))
            #expect(ours.bitPattern == theirs.bitPattern || (ours.isNaN && theirs.isNaN))
        }
    }

    @Test func everyPatternComesBack() {
        for pattern in UInt16.min...UInt16.max {
            let f16 = HalfPrecision.single(fromF16: pattern)
            #expect(f16.isNaN ? pattern & 0x7fff > 0x7c00 : HalfPrecision.f16(f16) == pattern)
            let bf16 = HalfPrecision.single(fromBF16: pattern)
            #expect(bf16.isNaN ? pattern & 0x7fff > 0x7f80 : HalfPrecision.bf16(bf16) == pattern)
        }
        #expect(HalfPrecision.single(fromF16: HalfPrecision.f16(.nan)).isNaN)
        #expect(HalfPrecision.single(fromBF16: HalfPrecision.bf16(.nan)).isNaN)
        #expect(HalfPrecision.single(fromBF16: HalfPrecision.bf16(Float(bitPattern: 0x7f80_0001))).isNaN)
    }

    @Test func f16RoundsAsFloat16Does() {
        // A step that shares no factor with the boundaries walks through all exponents and roundings.
        var bits: UInt32 = 0
        while bits < 0x7f80_0000 {
            let value = Float(bitPattern: bits)
            if HalfPrecision.f16(value) != Float16(value).bitPattern
                || HalfPrecision.f16(-value) != Float16(-value).bitPattern
            {
                Issue.record("f16 of \(value) is wrong")
            }
            bits += 509
        }
    }

    @Test func bf16IsTheNearerNeighbourAndEvenInTheMiddle() {
        var bits: UInt32 = 0
        while bits < 0x7f7f_0000 {
            let down = UInt16(bits >> 16)
            let rest = bits & 0xffff
            let up = rest > 0x8000 || (rest == 0x8000 && down & 1 == 1)
            if HalfPrecision.bf16(Float(bitPattern: bits)) != down + (up ? 1 : 0) {
                Issue.record("bf16 of \(Float(bitPattern: bits)) is wrong")
            }
            bits += 16_384
        }
        #expect(HalfPrecision.bf16(.greatestFiniteMagnitude) == 0x7f80)
        #expect(HalfPrecision.bf16(-.infinity) == 0xff80)
    }

    @Test func roundsAsNumPyAndPyTorchDo() throws {
        let file = try SafetensorsFile(path: golden("rounding.safetensors"))
        let count = try file.shape(of: "single")[0]
        let single = try file.vector("single", count: count)
        for (name, convert) in [("f16", HalfPrecision.f16), ("bf16", HalfPrecision.bf16)] {
            let expected = try file.withBytes(of: "single." + name) { bytes in
                (0..<count).map { bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self) }
            }
            #expect((0..<count).allSatisfy { convert(single.pointer[$0]) == expected[$0] })
        }
    }
}
