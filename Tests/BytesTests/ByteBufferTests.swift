import Bytes

import Testing

private func written(_ body: (ByteBuffer) -> Void) -> String {
    let buffer = ByteBuffer(capacity: 1)
    body(buffer)
    return String(decoding: buffer.array, as: UTF8.self)
}

@Suite struct ByteBufferTests {
    @Test func growsAndIsReused() {
        let buffer = ByteBuffer(capacity: 1)
        for index in 0..<10_000 { buffer.append(UInt8(truncatingIfNeeded: index)) }
        #expect(buffer.count == 10_000)
        #expect(buffer.array == (0..<10_000).map { UInt8(truncatingIfNeeded: $0) })
        buffer.removeAll()
        buffer.append("again")
        #expect(buffer.array == Array("again".utf8))
    }

    @Test(arguments: [0, 1, 9, 10, 99, 100, 12_345, UInt64.max, UInt64.max - 1, 10_000_000_000_000_000_000])
    func decimals(value: UInt64) {
        #expect(written { $0.appendDecimal(value) } == String(value))
    }

    @Test(
        arguments: [
            (0, "0.0"), (1, "1.0"), (0.5, "0.5"), (0.97312, "0.9731"), (0.99996, "1.0"), (0.00004, "0.0"),
            (0.00006, "0.0001"), (0.9, "0.9"), (0.101, "0.101"),
        ] as [(Float, String)])
    func probabilities(value: Float, text: String) {
        #expect(written { $0.appendProbability(value) } == text)
    }

    @Test(
        arguments: [
            (0, "0.0"), (-1.5, "-1.5"), (-0.0000001, "0.0"), (123_456.5, "123456.5"), (-0.25, "-0.25"),
            (1e20, "1e+20"), (.infinity, "null"),
        ] as [(Float, String)])
    func logits(value: Float, text: String) {
        #expect(written { $0.appendLogit(value) } == text)
    }

    @Test func hexadecimals() {
        #expect(written { $0.appendHexadecimal(0x00FF_A09E_1234_5678) } == "00ffa09e12345678")
    }

    @Test func escapesWhereverTheyStand() {
        for place in 0..<30 {
            for byte in UInt8(1)...UInt8(127) {
                var text = [UInt8](repeating: 0x78, count: 30)
                text[place] = byte
                let escaped = written { buffer in text.withUnsafeBufferPointer { buffer.appendJSONEscaped($0) } }
                let mustBeEscaped = byte < 0x20 || byte == 0x22 || byte == 0x5C
                #expect((escaped.utf8.count > 30) == mustBeEscaped)
            }
        }
    }
}
