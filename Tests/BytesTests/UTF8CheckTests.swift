import Bytes
import TestSupport
import Testing

/// The first byte that is NUL or not UTF-8, from 1; nil if there is none.
private func firstBad(_ bytes: [UInt8]) -> Int? {
    let valid = bytes.withUnsafeBufferPointer { UTF8Check.validPrefixWithoutNUL($0) }
    return valid == bytes.count ? nil : valid + 1
}

private func agrees(_ bytes: [UInt8]) -> Bool {
    UTF8Check.isValid(bytes) == (String(validating: bytes, as: UTF8.self) != nil)
}

@Suite struct UTF8CheckTests {
    @Test func takesWellFormedText() {
        for text in ["", "plain", "股市今天上涨", "é", "𠮷野家 🀄️ 😀", "\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}"] {
            #expect(firstBad(Array(text.utf8)) == nil)
        }
    }

    @Test(
        arguments: [
            ([0x61, 0x80], 2), ([0xC0, 0xAF], 1), ([0xC1, 0xBF], 1), ([0xE0, 0x80, 0x80], 1), ([0xE0, 0x9F, 0xBF], 1),
            ([0xED, 0xA0, 0x80], 1), ([0xF0, 0x8F, 0xBF, 0xBF], 1), ([0xF4, 0x90, 0x80, 0x80], 1), ([0xF5, 0x80], 1),
            ([0x61, 0x62, 0xE6, 0x96], 3), ([0xFF], 1), ([0xE6, 0x96, 0x87, 0xE6], 4), ([0xC3], 1), ([0xF0, 0x9F], 1),
        ] as [([UInt8], Int)])
    func namesTheFirstByteThatIsWrong(bytes: [UInt8], place: Int) {
        #expect(firstBad(bytes) == place)
        // The same further along, behind a run that is taken eight bytes at a time.
        let behind = Array("0123456789abcdef".utf8) + bytes
        #expect(firstBad(behind) == place + 16)
    }

    @Test func findsNULWhereverItIs() {
        for place in 0..<40 {
            var bytes = [UInt8](repeating: 0x61, count: 40)
            bytes[place] = 0
            #expect(firstBad(bytes) == place + 1)
            #expect(UTF8Check.isValid(bytes))
        }
    }

    @Test(arguments: 0..<300)
    func agreesWithTheStandardLibrary(seed: Int) {
        var random = SplitMix(seed: UInt64(seed))
        let pieces = ["新闻", "a", "é", "😀", "01234567", "ｆｕｌｌ"]
        var bytes: [UInt8] = []
        for _ in 0..<12 { bytes += Array((pieces.randomElement(using: &random) ?? "").utf8) }
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            bytes[place] = UInt8.random(in: 1...255, using: &random)
        }
        #expect((firstBad(bytes) == nil) == (String(validating: bytes, as: UTF8.self) != nil))
    }

    @Test func everyCodePointIsValidAndSurrogatesAreNot() {
        let refused = (UInt32(0)...0x10FFFF).compactMap(Unicode.Scalar.init)
            .filter { !UTF8Check.isValid(Array(UTF8.encode($0) ?? .init())) }
        #expect(refused.isEmpty)
        for second in UInt8(0xA0)...0xBF { #expect(!UTF8Check.isValid([0xED, second, 0x80])) }
    }

    /// All sequences of two bytes, and all of four over bytes at the borders of the ranges.
    @Test func agreesWithTheStandardLibraryOnShortSequences() {
        var wrong: [[UInt8]] = []
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max where !agrees([first, second]) { wrong.append([first, second]) }
        }
        let borders: [UInt8] = [
            0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
            0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        for first in borders {
            for second in borders {
                for third in borders {
                    for fourth in borders where !agrees([first, second, third, fourth]) {
                        wrong.append([first, second, third, fourth])
                    }
                }
            }
        }
        #expect(wrong.isEmpty)
    }
}
