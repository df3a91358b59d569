import Testing
import Text

struct UTF8ValidatorTests {
    @Test func everyCodePointIsValidAndSurrogatesAreNot() {
        for value in UInt32(0)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            #expect(UTF8Validator.isValid(Array(String(scalar).utf8)))
        }
        for second in UInt8(0xA0)...0xBF { #expect(!UTF8Validator.isValid([0xED, second, 0x80])) }
    }

    /// All sequences of two bytes, and all of three and four over bytes at the borders of the ranges.
    @Test func agreesWithTheStandardLibraryOnShortSequences() {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                let bytes = [first, second]
                #expect(UTF8Validator.isValid(bytes) == (String(validating: bytes, as: UTF8.self) != nil))
            }
        }
        let borders: [UInt8] = [
            0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
            0xF0,
            0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        for first in borders {
            for second in borders {
                for third in borders {
                    for fourth in borders {
                        let bytes = [first, second, third, fourth]
                        #expect(UTF8Validator.isValid(bytes) == (String(validating: bytes, as: UTF8.self) != nil))
                    }
                }
            }
        }
    }

    @Test func agreesOnDamagedText() throws {
        var random = SplitMix(state: 3)
        let text = try Goldens.cases().texts.joined(separator: " ascii text between ")
        let source = Array(text.utf8)
        for _ in 0..<20000 {
            let start = Int.random(in: 0..<source.count, using: &random)
            var bytes = Array(source[start..<min(source.count, start + Int.random(in: 0..<40, using: &random))])
            if !bytes.isEmpty, Bool.random(using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            #expect(UTF8Validator.isValid(bytes) == (String(validating: bytes, as: UTF8.self) != nil))
        }
    }
}
