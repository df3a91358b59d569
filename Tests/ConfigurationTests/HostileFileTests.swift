import Configuration
import Diagnostics
import Foundation
import TestSupport
import Testing

/// Whatever the bytes are, there are settings or errors, and nothing takes long.
@Suite struct HostileFileTests {
    @Test(arguments: 0..<16) func mutatedFilesAreReadOrRefused(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        let samples = try ["etc/understudy.yaml", "Tests/ConfigurationTests/Goldens/good/every-option.yaml"]
            .map { Array(try RepositoryFile.text($0).utf8) }
        let pieces = [
            "&a ", "*a", "? ", "- ", ": ", "{", "}", "[", "]", "\"", "'", "\n", "\t", "\r", "#", "|", ">", "%YAML 9\n",
            "---\n", "...\n", "!!x ", "${", "{label", "\u{FEFF}", "\u{2028}", "\u{85}", "体", "\\x",
            "99999999999999999999",
        ].map { Array($0.utf8) }
        for _ in 0..<150 {
            var bytes = samples[Int.random(in: 0...1, using: &random)]
            for _ in 0...Int.random(in: 0...3, using: &random) {
                let place = Int.random(in: 0..<max(1, bytes.count), using: &random)
                switch Int.random(in: 0...4, using: &random) {
                case 0: if place < bytes.count { bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random) }
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...40, using: &random)))
                case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: min(place, bytes.count))
                case 3:
                    let piece = pieces.randomElement(using: &random) ?? []
                    bytes.insert(contentsOf: piece, at: min(place, bytes.count))
                default: bytes.removeSubrange(place...)
                }
            }
            check(bytes)
        }
    }

    @Test func randomBytesAreRefused() {
        var random = SplitMix(seed: 7)
        for length in 0..<400 {
            check((0..<length).map { _ in UInt8.random(in: 0...255, using: &random) })
            check((0..<length).map { _ in Array("{}[]:,-?&*!|>'\"%@` \n\tax".utf8).randomElement(using: &random) ?? 0 })
        }
    }

    /// Reads; where there are errors, they have places that are in the file and can be shown.
    private func check(_ bytes: [UInt8]) {
        do {
            let settings = try ConfigurationFile.read(bytes, path: "x", environment: ["MODELS": "/m"])
            #expect(!settings.sources.isEmpty && !settings.sinks.isEmpty)
        } catch {
            #expect(!error.errors.isEmpty)
            #expect(error.errors.allSatisfy { ($0.line ?? 1) >= 1 && ($0.column ?? 1) >= 1 && !$0.message.isEmpty })
            // Nothing that would move a terminal's cursor.
            #expect(!error.description.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" && $0 != "\t" })
        }
    }

    @Test(arguments: ["[", "{a: ", "- ", "? ", "{? ", "[[", "!x [", "- - "]) func deepNestingIsRefused(piece: String) {
        let text = "sources: \(piece == "- " || piece == "? " || piece == "- - " ? "\n" : "")"
        let found = errors(text + String(repeating: piece, count: 200_000 / piece.utf8.count))
        #expect(found.contains { $0.contains("deep") || $0.contains("did not find") || $0.contains("not allowed") })
        #expect(found.count <= 20)
    }

    @Test func aliasBombsAreRefusedWithoutGrowing() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<30 {
            text +=
                "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
                + "]\n"
        }
        #expect(errors(text).contains { $0.contains("anchors aren't supported") })
    }

    @Test func manyMistakesAreCounted() throws {
        let text = "cascade:\n" + (0..<5000).map { "  x\($0): 1\n" }.joined()
        do {
            _ = try settings(text)
            Issue.record("it was read")
        } catch {
            #expect(error.errors.count == 200)
            #expect(error.more == 5002 - 200)
            #expect(error.description.hasSuffix("… and 4802 more errors"))
            #expect(error.summary.message.hasSuffix("(and 5001 more; see `understudy check`)"))
        }
    }

    @Test func wideFilesHaveBounds() {
        let items = String(repeating: "a,", count: 400_000)
        #expect(errors("x: [\(items)]").contains { $0.contains("more than 100000 values") })
        let sinks = (0..<300).map { "  - {name: s\($0), kind: file, path: '/x/\($0)-{label}'}\n" }.joined()
        #expect(errors(leastSource + "sinks:\n" + sinks).contains { $0.contains("300 items; 256 are allowed") })
    }
}
