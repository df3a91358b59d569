import Diagnostics
import Foundation
import TestSupport
import Testing
import Text

/// Damaged files give an error or a tokenizer that works; never a crash.
struct HostileFilesTests {
    @Test(
        arguments: [
            ("bert-lower", "vocab.txt"), ("bert-cased", "tokenizer_config.json"), ("bert-json", "tokenizer.json"),
            ("plain-wordpiece", "tokenizer.json"), ("unigram-e5", "tokenizer.json"),
            ("unigram-charsmap", "tokenizer.json"), ("unigram-bytes", "tokenizer.json"),
            ("unigram-xlm", "tokenizer_config.json"),
        ])
    func mutationsNeverCrash(_ tokenizer: String, _ file: String) throws {
        let directory = try TemporaryFolder()
        for name in try FileManager.default.contentsOfDirectory(atPath: Goldens.path(tokenizer)) {
            let contents = try #require(FileManager.default.contents(atPath: "\(Goldens.path(tokenizer))/\(name)"))
            try directory.write(Array(contents), to: name)
        }
        let original = Array(try #require(FileManager.default.contents(atPath: "\(directory.path)/\(file)")))
        let texts = try Goldens.cases().texts
        var random = SplitMix(seed: UInt64(original.count))
        var refused = 0
        let rounds = 100
        for _ in 0..<rounds {
            try directory.write(Self.mutation(of: original, &random), to: file)
            let loaded: LoadedTokenizer
            do throws(UnderstudyError) {
                loaded = try TokenizerFiles.load(directory: directory.path)
            } catch {
                #expect(error.place?.hasPrefix(directory.path) ?? false)
                refused += 1
                continue
            }
            for text in texts {
                let ids = loaded.tokenizer.encode(text.utf8, maximumLength: loaded.maximumLength)
                #expect(ids.allSatisfy { $0 >= 0 && Int($0) < loaded.vocabularySize })
            }
        }
        // Cutting a file short is among the mutations, so some are refused.
        #expect(refused > 0 || file != "tokenizer.json")
    }

    /// Bytes flipped, cut off, left out, repeated, or replaced by what parsers trip over.
    private static func mutation(of original: [UInt8], _ random: inout SplitMix) -> [UInt8] {
        var bytes = original
        let spot = Int.random(in: 0..<bytes.count, using: &random)
        let length = Int.random(in: 1...min(64, bytes.count - spot), using: &random)
        switch Int.random(in: 0..<7, using: &random) {
        case 0: bytes[spot] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes.removeSubrange(spot..<spot + length)
        case 2: bytes.insert(contentsOf: bytes[spot..<spot + length], at: spot)
        case 3: bytes.removeLast(bytes.count - spot)
        case 4:
            let tokens = [
                "null", "-1", "1e400", "\"", "[", "}", "\\u0000", "99999999999", "true", "\n", "\u{FFFD}", "\"\"",
            ]
            bytes.replaceSubrange(
                spot..<min(spot + 4, bytes.count), with: tokens[Int.random(in: 0..<tokens.count, using: &random)].utf8)
        case 5:
            // A digit changed: ids, scores and sizes.
            if let digit = bytes[spot...].firstIndex(where: { (0x30...0x39).contains($0) }) {
                bytes[digit] = UInt8.random(in: 0x30...0x39, using: &random)
            }
        default:
            // A name misspelt.
            if let letter = bytes[spot...].firstIndex(where: { (0x61...0x7A).contains($0) }) { bytes[letter] ^= 0x20 }
        }
        return bytes
    }

    /// A charsmap of random bytes, well-formed only in its lengths.
    @Test func randomCharacterMapsNeverCrash() throws {
        let directory = try TemporaryFolder()
        var random = SplitMix(seed: 11)
        for _ in 0..<60 {
            let units = Int.random(in: 1...300, using: &random)
            var blob = (0..<4).map { UInt8(truncatingIfNeeded: (units * 4) >> ($0 * 8)) }
            for _ in 0..<units * 4 { blob.append(UInt8.random(in: 0...255, using: &random)) }
            for _ in 0..<40 { blob.append(UInt8.random(in: 0...127, using: &random)) }
            let map = Data(blob).base64EncodedString()
            try directory.write(
                """
                {"version":"1.0","normalizer":{"type":"Precompiled","precompiled_charsmap":"\(map)"},
                "model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1]]}}
                """, to: "tokenizer.json")
            let loaded = try TokenizerFiles.load(directory: directory.path)
            for text in try Goldens.cases().texts { _ = loaded.tokenizer.encode(text.utf8) }
        }
    }

    /// Forty Replaces that make ten characters of one would make 10^40 of it: no memory holds that.
    @Test(arguments: [
        (40, "aaaaaaaaaa", false), (3, "aaaaaaaaaa", true), (4, "aaaaaaaaaa", false), (64, "b", true),
        (65, "b", false), (1, String(repeating: "b", count: 1024), true),
        (1, String(repeating: "b", count: 1025), false),
    ])
    func normalizersThatGrowAreRefused(count: Int, content: String, isTaken: Bool) throws {
        let step = #"{"type":"Replace","pattern":{"String":"a"},"content":"\#(content)"}"#
        let steps = [String](repeating: step, count: count).joined(separator: ",")
        let error = try loading(
            """
            {"version":"1.0","normalizer":{"type":"Sequence","normalizers":[\(steps)]},
            "model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["b",-1]]}}
            """)
        #expect((error == nil) == isTaken)
        #expect(error?.code ?? .invalidData == .invalidData)
    }

    @Test func aCharacterMapThatGrowsIsRefused() throws {
        for (length, isTaken) in [(1024, true), (1025, false)] {
            let trie: [UInt8] = [4, 0, 0, 0] + [0, 4, 0, 0]
            let map = Data(trie + [UInt8](repeating: 0x62, count: length)).base64EncodedString()
            let error = try loading(
                """
                {"version":"1.0","normalizer":{"type":"Precompiled","precompiled_charsmap":"\(map)"},
                "model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1]]}}
                """)
            #expect((error == nil) == isTaken)
        }
    }

    /// The bracket that ends it is escaped.
    @Test(arguments: [(#"[a\\]"#, false), (#"[a\\]]"#, true), ("[a", false), ("[]", false), ("[^", false)])
    func aClassThatDoesNotEndIsRefused(pattern: String, isTaken: Bool) throws {
        let error = try loading(
            """
            {"version":"1.0","normalizer":{"type":"Replace","pattern":{"Regex":"\(pattern)"},"content":"b"},
            "model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1]]}}
            """)
        #expect((error == nil) == isTaken)
    }

    private func loading(_ tokenizer: String) throws -> UnderstudyError? {
        let directory = try TemporaryFolder()
        try directory.write(tokenizer, to: "tokenizer.json")
        do throws(UnderstudyError) {
            _ = try TokenizerFiles.load(directory: directory.path)
            return nil
        } catch {
            return error
        }
    }

    /// Runs too short for a match and white space before tokens: each once took the square of the line's length.
    @Test func longLinesTakeTheirLength() throws {
        let directory = try TemporaryFolder()
        try directory.write(
            """
            {"version":"1.0","normalizer":{"type":"Replace","pattern":{"Regex":"a{70000,}"},"content":"b"},
            "added_tokens":[{"id":2,"content":" ","special":true,"lstrip":true}],
            "model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1]]}}
            """, to: "tokenizer.json")
        try directory.write(
            #"{"tokenizer_class":"PreTrainedTokenizerFast","truncation_side":"left"}"#, to: "tokenizer_config.json")
        let tokenizer = try TokenizerFiles.load(directory: directory.path).tokenizer
        #expect(tokenizer.encode([UInt8](repeating: 0x61, count: 65_536)) == [Int32](repeating: 1, count: 65_536))
        #expect(tokenizer.encode([UInt8](repeating: 0x20, count: 65_536)) == [Int32](repeating: 2, count: 65_536))
    }

    /// So once did a list of added tokens.
    @Test func manyAddedTokensAreTaken() throws {
        let directory = try TemporaryFolder()
        let tokens = (2..<20_002).map { ##"{"id":\##($0),"content":"<\##($0)>","special":true}"## }
        try directory.write(
            """
            {"version":"1.0","added_tokens":[\(tokens.joined(separator: ","))],
            "model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1]]}}
            """, to: "tokenizer.json")
        let loaded = try TokenizerFiles.load(directory: directory.path)
        #expect(loaded.vocabularySize == 20_002)
        #expect(loaded.tokenizer.encode("a<2><20001>".utf8) == [1, 2, 20_001])
    }

    /// Lines are promised to be valid UTF-8; a broken promise costs right ids, not memory safety.
    @Test(arguments: ["bert-lower", "unigram-e5", "unigram-charsmap", "unigram-bytes", "unigram-words"])
    func invalidLinesNeverCrash(_ name: String) throws {
        let loaded = try TokenizerFiles.load(directory: Goldens.path(name))
        var random = SplitMix(seed: 5)
        for _ in 0..<2000 {
            let line = (0..<Int.random(in: 0..<40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random)
            }
            let ids = loaded.tokenizer.encode(line, maximumLength: 64)
            #expect(ids.allSatisfy { $0 >= 0 && Int($0) < loaded.vocabularySize })
        }
    }
}
