import Bytes
import Diagnostics
import Foundation
import Streams
import TestSupport
import Testing

private func bytes(_ codes: some Sequence<UInt16>, _ unit: CodeUnit) -> [UInt8] {
    codes.flatMap { code in
        let pair = [UInt8(code >> 8), UInt8(code & 0xFF)]
        return unit == .bigEndian ? pair : pair.reversed()
    }
}

private func decode(
    _ line: [UInt8], _ unit: CodeUnit, offset: UInt64 = 0, form: String = "line"
) throws -> (text: String?, flaw: LineFlaw?) {
    let decoder = try LineDecoder(form: InputForm(form), maximumLineBytes: 100_000, encoding: .utf16)
    let record = Record(offset: offset, number: 1, start: 0, length: UInt32(line.count), chunk: 0)
    return line.withUnsafeBufferPointer { bytes in
        switch decoder.decode(record, bytes, unit: unit) {
        case .blank: (nil, nil)
        case .flaw(let flaw): (nil, flaw)
        case .text(let text, _): (String(decoding: text, as: UTF8.self), nil)
        }
    }
}

/// Lines of UTF-16.
@Suite struct UTF16TextTests {
    static let units: [CodeUnit] = [.littleEndian, .bigEndian]

    @Test(arguments: units) func everyCharacterBecomesUTF8(_ unit: CodeUnit) throws {
        var text = ""
        for code in 1...0x10FFFF where code < 0x3100 || code % 37 == 0 {
            if let scalar = Unicode.Scalar(UInt32(code)) { text.unicodeScalars.append(scalar) }
        }
        let decoded = try decode(bytes(text.utf16, unit), unit)
        #expect(decoded.flaw == nil && decoded.text.map { Array($0.utf8) } == Array(text.utf8))
    }

    @Test(arguments: units) func halvesAreFlawsOfTheirLine(_ unit: CodeUnit) throws {
        for (codes, place) in [
            ([0x4E0A, 0xD83D], 3), ([0xD83D, 0x4E0A], 1), ([0x61, 0x62, 0xDE00, 0x63], 5),
            ([0xD83D, 0xD83D, 0xDE00], 1),
        ] as [([UInt16], Int)] {
            #expect(try decode(bytes(codes, unit), unit).flaw == .notInEncoding(at: place, .utf16))
        }
        let half = bytes([0x4E0A, 0x61], unit).dropLast()
        #expect(try decode(Array(half), unit).flaw == .notInEncoding(at: 3, .utf16))
        #expect(try decode(bytes([0x4E0A], unit), unit, offset: 7).flaw == .notInEncoding(at: 1, .utf16))
        #expect(try decode(bytes([0x61, 0, 0x62], unit), unit).flaw == .containsNUL(at: 3))
        #expect(LineFlaw.notInEncoding(at: 3, .utf16).reason(field: "") == "not utf-16 at byte 3")
    }

    @Test(arguments: units) func formsAndBlanks(_ unit: CodeUnit) throws {
        #expect(try decode(bytes("{\"text\":\"上海😀\"}".utf16, unit), unit, form: "jsonl:text").text == "上海😀")
        #expect(try decode(bytes("1\t上海".utf16, unit), unit, form: "tsv:2").text == "上海")
        let blank = try decode(bytes(" \u{3000}".utf16, unit), unit)
        #expect(blank.text == nil && blank.flaw == nil)
    }

    /// Pairs of bytes that happen to be UTF-8 aren't shown as if they were.
    @Test func deadLettersHoldTheBytes() throws {
        let line = bytes([0x6162, 0xD83D], .bigEndian).dropLast(2) + [0x63]
        let origin = SourceOrigin(source: "s", path: "/d/a", file: FileIdentity(device: 1, inode: 2), unit: .bigEndian)
        let output = ByteBuffer()
        let record = Record(offset: 2, number: 1, start: 0, length: 3, chunk: 0)
        Array(line).withUnsafeBufferPointer {
            DeadLetterEncoder().append(
                .notInEncoding(at: 3, .utf16), record: record, origin: origin, bytes: $0, to: output)
        }
        let letter = try JSONSerialization.jsonObject(with: Data(output.array)) as? [String: Any]
        #expect(letter?["base64"] as? String == Data(line).base64EncodedString() && letter?["text"] == nil)
    }
}
