import Streams
import TestSupport
import Testing

private func flaw(_ bytes: [UInt8]) -> LineFlaw? {
    bytes.withUnsafeBufferPointer { UTF8Check.flaw(in: $0) }
}

@Suite struct UTF8CheckTests {
    @Test func takesWellFormedText() {
        for text in ["", "plain", "股市今天上涨", "é", "𠮷野家 🀄️ 😀", "\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}"] {
            #expect(flaw(Array(text.utf8)) == nil)
        }
    }

    @Test(
        arguments: [
            ([0x61, 0x80], 2), ([0xC0, 0xAF], 1), ([0xC1, 0xBF], 1), ([0xE0, 0x80, 0x80], 1), ([0xE0, 0x9F, 0xBF], 1),
            ([0xED, 0xA0, 0x80], 1), ([0xF0, 0x8F, 0xBF, 0xBF], 1), ([0xF4, 0x90, 0x80, 0x80], 1), ([0xF5, 0x80], 1),
            ([0x61, 0x62, 0xE6, 0x96], 3), ([0xFF], 1), ([0xE6, 0x96, 0x87, 0xE6], 4), ([0xC3], 1), ([0xF0, 0x9F], 1),
        ] as [([UInt8], Int)])
    func namesTheFirstByteThatIsWrong(bytes: [UInt8], place: Int) {
        #expect(flaw(bytes) == .notUTF8(at: place))
        // The same further along, behind a run that is taken eight bytes at a time.
        let behind = Array("0123456789abcdef".utf8) + bytes
        #expect(flaw(behind) == .notUTF8(at: place + 16))
    }

    @Test func findsNULWhereverItIs() {
        for place in 0..<40 {
            var bytes = [UInt8](repeating: 0x61, count: 40)
            bytes[place] = 0
            #expect(flaw(bytes) == .containsNUL(at: place + 1))
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
        #expect((flaw(bytes) == nil) == (String(validating: bytes, as: UTF8.self) != nil))
    }
}
