import TestSupport
import Testing
import Text

struct UTF8ValidatorTests {
    private static func agrees(_ bytes: [UInt8]) -> Bool {
        UTF8Validator.isValid(bytes) == (String(validating: bytes, as: UTF8.self) != nil)
    }

    @Test func everyCodePointIsValidAndSurrogatesAreNot() {
        let refused = (UInt32(0)...0x10FFFF).compactMap(Unicode.Scalar.init)
            .filter { !UTF8Validator.isValid(Array(UTF8.encode($0) ?? .init())) }
        #expect(refused.isEmpty)
        for second in UInt8(0xA0)...0xBF { #expect(!UTF8Validator.isValid([0xED, second, 0x80])) }
    }

    /// All sequences of two bytes, and all of four over bytes at the borders of the ranges.
    @Test func agreesWithTheStandardLibraryOnShortSequences() {
        var wrong: [[UInt8]] = []
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max where !Self.agrees([first, second]) { wrong.append([first, second]) }
        }
        let borders: [UInt8] = [
            0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
            0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        for first in borders {
            for second in borders {
                for third in borders {
                    for fourth in borders where !Self.agrees([first, second, third, fourth]) {
                        wrong.append([first, second, third, fourth])
                    }
                }
            }
        }
        #expect(wrong.isEmpty)
    }

    @Test func agreesOnDamagedText() throws {
        var random = SplitMix(seed: 3)
        let source = Array(try Goldens.cases().texts.joined(separator: " ascii text between ").utf8)
        var wrong: [[UInt8]] = []
        for _ in 0..<20000 {
            let start = Int.random(in: 0..<source.count, using: &random)
            var bytes = Array(source[start..<min(source.count, start + Int.random(in: 0..<40, using: &random))])
            if !bytes.isEmpty, Bool.random(using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if !Self.agrees(bytes) { wrong.append(bytes) }
        }
        #expect(wrong.isEmpty)
    }
}
