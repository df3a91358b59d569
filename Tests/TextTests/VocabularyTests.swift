import Diagnostics
import TestSupport
import Testing
import Text

struct VocabularyTests {
    /// Look-ups agree with a dictionary on random short strings, which collide and share prefixes.
    @Test func agreesWithADictionary() throws {
        var random = SplitMix(seed: 7)
        var ids: [[UInt8]: Int32] = [:]
        var entries: [[UInt8]] = []
        for _ in 0..<5000 {
            let length = Int.random(in: 1...12, using: &random)
            let entry = (0..<length).map { _ in UInt8.random(in: 97...100, using: &random) }
            if ids[entry] == nil {
                ids[entry] = Int32(entries.count)
                entries.append(entry)
            }
        }
        let vocabulary = try Vocabulary(entries)
        #expect(vocabulary.count == entries.count)
        #expect(vocabulary.entries == entries)
        for _ in 0..<20000 {
            let length = Int.random(in: 0...12, using: &random)
            let entry = (0..<length).map { _ in UInt8.random(in: 97...100, using: &random) }
            #expect(vocabulary.id(of: entry) == ids[entry])
        }
    }

    @Test func aRepeatedEntryIsRefused() {
        #expect(throws: UnderstudyError(.invalidData, "'b' is repeated in the vocabulary, as ids 1 and 2")) {
            try Vocabulary([[97], [98], [98]])
        }
    }

    @Test func readsBackWhatItWrote() throws {
        let directory = try TemporaryFolder()
        let vocabulary = try Vocabulary(["[PAD]", "[UNK]", "好", "a"].map { Array($0.utf8) })
        try directory.write(vocabulary.fileContents, to: "vocab.txt")
        #expect(try Vocabulary.read(directory.path + "/vocab.txt").entries == vocabulary.entries)
    }

    @Test func readingTrimsLineEndsAndKeepsTheRest() throws {
        let directory = try TemporaryFolder()
        try directory.write("[PAD]\r\n b\u{3000}\n\u{2028}\n##c \t", to: "vocab.txt")
        let vocabulary = try Vocabulary.read(directory.path + "/vocab.txt")
        #expect(vocabulary.entries.map { String(decoding: $0, as: UTF8.self) } == ["[PAD]", " b", "", "##c"])
    }

    @Test(arguments: [[], [0x0A], [0x0A, 0x0A], [0x61, 0xFF, 0x0A], Array("a\nb\na\n".utf8)] as [[UInt8]])
    func badFilesAreNamed(_ contents: [UInt8]) throws {
        let directory = try TemporaryFolder()
        try directory.write(contents, to: "vocab.txt")
        let path = directory.path + "/vocab.txt"
        let error = #expect(throws: UnderstudyError.self) { try Vocabulary.read(path) }
        #expect(error?.code == .invalidData)
        #expect(error?.place == path)
    }

    @Test func aMissingFileIsNamed() {
        let error = #expect(throws: UnderstudyError.self) { try Vocabulary.read("/nowhere/vocab.txt") }
        #expect(error?.code == .missingInput)
        #expect(error?.place == "/nowhere/vocab.txt")
    }

    @Test func charactersAreCountedAfterFolding() throws {
        var counter = CharacterCounter()
        counter.add("Ａb 好好".utf8)
        counter.add("aB\t好 z".utf8)
        let all = try counter.vocabulary().entries.map { String(decoding: $0, as: UTF8.self) }
        #expect(all == ["[PAD]", "[UNK]", "好", "a", "b", "z"])
        let frequent = try counter.vocabulary(minimumCount: 2)
        #expect(frequent.count == 5)
    }
}
