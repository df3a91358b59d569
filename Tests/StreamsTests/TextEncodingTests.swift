import Diagnostics
import Foundation
import Streams
import TestSupport
import Testing

/// Goldens/encodings.json, made by Tests/Goldens/make-encoding-goldens.py.
private struct Goldens: Decodable {
    /// Bytes in hexadecimal and their text.
    var lines: [[String]]
    var json: [[String]]
    /// The first code of a run in hexadecimal, and a character for each code of it.
    var codes: [[String]]

    static func read(_ encoding: TextEncoding) throws -> Goldens {
        let file = try #require(
            Bundle.module.url(forResource: "encodings", withExtension: "json", subdirectory: "Goldens"))
        let all = try JSONDecoder().decode([String: Goldens].self, from: Data(contentsOf: file))
        return try #require(all[encoding.rawValue])
    }
}

private func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
}

private enum Said: Equatable {
    case blank
    case flaw(LineFlaw)
    case text([UInt8], passed: String)
}

private struct Decoding {
    let decoder: LineDecoder

    init(_ encoding: TextEncoding, _ form: String = "line") throws {
        decoder = try LineDecoder(form: InputForm(form), maximumLineBytes: 1000, encoding: encoding)
    }

    func callAsFunction(_ line: [UInt8]) -> Said {
        let record = Record(offset: 0, number: 1, start: 0, length: UInt32(line.count), chunk: 0)
        return line.withUnsafeBufferPointer { bytes in
            switch decoder.decode(record, bytes) {
            case .blank: .blank
            case .flaw(let flaw): .flaw(flaw)
            case .text(let text, let passed): .text(Array(text), passed: String(decoding: passed, as: UTF8.self))
            }
        }
    }
}

private func text(_ text: String) -> Said { .text(Array(text.utf8), passed: "") }

@Suite struct TextEncodingTests {
    static let others: [TextEncoding] = [.gb18030, .big5]

    @Test(arguments: others)
    func readsLinesAsPythonDoes(encoding: TextEncoding) throws {
        let decode = try Decoding(encoding)
        for line in try Goldens.read(encoding).lines { #expect(decode(bytes(line[0])) == text(line[1])) }
    }

    @Test(arguments: others)
    func readsEveryTwoByteCode(encoding: TextEncoding) throws {
        let decode = try Decoding(encoding)
        var count = 0
        for run in try Goldens.read(encoding).codes {
            var code = bytes(run[0])
            for character in run[1].unicodeScalars {
                // Between others, since the line must go on rightly after it.
                let said = decode([0x61] + code + [0x7A])
                if said != text("a\(character)z") { Issue.record("\(code): \(said), not \(character)") }
                code[1] += code[1] == 0x7E ? 2 : 1
                count += 1
            }
        }
        #expect(count > 18_000)
    }

    @Test(arguments: others)
    func findsJSONAmongTrailBytesThatAreBackslashes(encoding: TextEncoding) throws {
        let decode = try Decoding(encoding, "jsonl:text")
        for line in try Goldens.read(encoding).json {
            let code = bytes(line[0])
            #expect(code.contains(0x5C))
            let utf8 = try Decoding(.utf8, "jsonl:text")(Array(line[1].utf8))
            #expect(decode(code) == utf8)
            guard case .text = utf8 else {
                Issue.record("\(line[1]) is no example")
                continue
            }
        }
        // 功, whose trail byte is a backslash, in a column.
        #expect(try Decoding(.big5, "tsv:2")([0x61, 0x09, 0xA5, 0x5C, 0x09, 0x62]) == text("功"))
    }

    @Test(arguments: others)
    func aTruncatedCharacterIsAFlaw(encoding: TextEncoding) throws {
        let decode = try Decoding(encoding)
        let line = bytes(try Goldens.read(encoding).lines[0][0])
        #expect(decode(Array(line.dropLast())) == .flaw(.notInEncoding(at: line.count - 1, encoding)))
        // And leaves nothing behind for the next line.
        #expect(decode([0x61]) == text("a"))
        #expect(decode([0x61, 0xFF, 0x61]) == .flaw(.notInEncoding(at: 2, encoding)))
        #expect(decode([0x61, 0x00, 0xFF]) == .flaw(.containsNUL(at: 2)))
    }

    @Test func fourByteCodesAndTwoCharacterCodesAreRead() throws {
        #expect(try Decoding(.gb18030)([0x94, 0x39, 0xFC, 0x36]) == text("😀"))
        #expect(try Decoding(.gb18030)([0x94, 0x39, 0xFC]) == .flaw(.notInEncoding(at: 1, .gb18030)))
        // One code of HKSCS, two characters; and its first half, which might have been the beginning of it.
        #expect(try Decoding(.big5)([0x88, 0x62]) == text("\u{CA}\u{304}"))
        #expect(try Decoding(.big5)([0x88, 0x66]) == text("\u{CA}"))
    }

    @Test func theIdeographicSpaceIsBlank() throws {
        #expect(try Decoding(.gb18030)([0xA1, 0xA1, 0x20]) == .blank)
        #expect(try Decoding(.big5)([0xA1, 0x40]) == .blank)
        #expect(try Decoding(.big5)([]) == .blank)
    }

    @Test(arguments: others, 0..<20)
    func whateverComesIsTextOrAFlaw(encoding: TextEncoding, seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let decode = try Decoding(encoding)
        for _ in 0..<200 {
            let line = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                Bool.random(using: &random) ? UInt8.random(in: 0x30...0xFE, using: &random) : 0xA4
            }
            switch decode(line) {
            case .blank: break
            case .text(let text, _): #expect(String(validating: text, as: UTF8.self) != nil)
            case .flaw(let flaw):
                guard case .notInEncoding(let place, encoding) = flaw, (1...line.count).contains(place) else {
                    Issue.record("\(line): \(flaw)")
                    continue
                }
                // What stands before that place is no flaw.
                guard case .flaw = decode(Array(line[..<(place - 1)])) else { continue }
                Issue.record("\(line): not the first flaw")
            }
        }
    }

    @Test func theFlawHasANameAndAReason() {
        let flaw = LineFlaw.notInEncoding(at: 17, .big5)
        #expect(flaw.kind.rawValue == "not_decodable")
        #expect(flaw.reason(field: "") == "not big5 at byte 17")
    }
}
