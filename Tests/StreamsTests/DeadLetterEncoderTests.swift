import Bytes
import Foundation
import Streams
import Testing

private func letter(
    _ flaw: LineFlaw, _ line: [UInt8], file: FileIdentity? = FileIdentity(device: 1, inode: 2), isTooLong: Bool = false
) -> String {
    let origin = SourceOrigin(source: "drops", path: "/spool/a\"b.txt", file: file, stream: 5)
    let record = Record(
        offset: 123, number: 7, start: 0, length: UInt32(line.count), chunk: 0, kind: isTooLong ? .tooLong : .line)
    let output = ByteBuffer()
    line.withUnsafeBufferPointer {
        DeadLetterEncoder(field: "t").append(flaw, record: record, origin: origin, bytes: $0, to: output)
    }
    return String(decoding: output.array, as: UTF8.self)
}

@Suite struct DeadLetterEncoderTests {
    @Test func holdsTheTextAndItsPlace() {
        let line = Array(#"{"a":"股市"}"#.utf8)
        let id = line.withUnsafeBufferPointer {
            RecordIdentity(source: "drops", file: FileIdentity(device: 1, inode: 2).bytes).id(offset: 123, line: $0)
        }
        let digits = String(repeating: "0", count: 16 - String(id, radix: 16).count) + String(id, radix: 16)
        #expect(
            letter(.missingField, line) == #"{"error":"missing_field","line":7,"source":"drops","#
                + #""file":"/spool/a\"b.txt","offset":123,"id":"\#(digits)","reason":"no field 't'","#
                + #""text":"{\"a\":\"股市\"}"}"# + "\n")
    }

    @Test func whatIsNoTextIsBase64() throws {
        for line: [UInt8] in [[0xFF], [0x61, 0xFF], [0x61, 0x62, 0xFF], [0x61, 0x00], Array(0...255)] {
            let json = letter(.notUTF8(at: 1), line, file: nil)
            let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
            #expect(object?["base64"] as? String == Data(line).base64EncodedString())
            #expect(object?["text"] == nil && object?["file"] == nil)
        }
    }

    @Test func nothingIsKeptOfALineThatIsTooLong() throws {
        let json = letter(.tooLong(bytes: 99, maximum: 10), [], isTooLong: true)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        #expect(object["text"] == nil && object["base64"] == nil && object["error"] as? String == "too_long")
    }
}
