import Diagnostics
import TestSupport
import Testing
import Text

struct CharacterTokenizerTests {
    private static func vocabulary(_ characters: String) throws -> Vocabulary {
        try Vocabulary(
            ["[PAD]", "[UNK]"].map { Array($0.utf8) } + characters.unicodeScalars.map { Array(String($0).utf8) })
    }

    @Test func foldsDropsAndMarksUnknowns() throws {
        let tokenizer = try CharacterTokenizer(vocabulary: Self.vocabulary("a1好!é"))
        #expect(tokenizer.encode("Ａ１ 好\u{3000}\t！É".utf8) == [2, 3, 4, 5, 6])
        #expect(tokenizer.encode("大a😀".utf8) == [1, 2, 1])
        #expect(tokenizer.encode("".utf8).isEmpty)
        #expect(tokenizer.encode(" \u{3000}".utf8).isEmpty)
        #expect(tokenizer.encode("好a好a".utf8, maximumLength: 3) == [4, 2, 4])
        #expect(tokenizer.vocabularySize == 7)
    }

    @Test func foldingCanBeTurnedOff() throws {
        let folding = CharacterFolding(foldsWidth: false, lowercases: false)
        let tokenizer = try CharacterTokenizer(vocabulary: Self.vocabulary("aＡA"), folding: folding)
        #expect(tokenizer.encode("aＡA １".utf8) == [2, 3, 4, 1])
    }

    /// Against a look-up in a dictionary, one character at a time.
    @Test func agreesWithAPlainReading() throws {
        var counter = CharacterCounter()
        let texts = try Goldens.cases().texts
        for text in texts { counter.add(text.utf8) }
        let vocabulary = try counter.vocabulary(minimumCount: 2)
        let folding = CharacterFolding()
        let tokenizer = try CharacterTokenizer(vocabulary: vocabulary, folding: folding)
        for text in texts {
            let plain = text.unicodeScalars.compactMap { folding.fold($0) }
                .map { vocabulary.id(of: String($0).utf8) ?? CharacterTokenizer.unknown }
            #expect(tokenizer.encode(text.utf8) == plain)
        }
    }

    @Test func entriesMustBeCharacters() throws {
        let words = try Vocabulary(["[PAD]", "[UNK]", "ab"].map { Array($0.utf8) })
        let error = #expect(throws: UnderstudyError.self) { try CharacterTokenizer(vocabulary: words) }
        #expect(error?.code == .invalidData)
        let nothing = try Vocabulary(["[PAD]", "[UNK]"].map { Array($0.utf8) })
        #expect(throws: UnderstudyError.self) { try CharacterTokenizer(vocabulary: nothing) }
    }

    @Test func canBeWrittenAndLoaded() throws {
        let directory = try TemporaryFolder()
        let folding = CharacterFolding(foldsWidth: true, lowercases: false)
        let made = try LoadedTokenizer.characters(Self.vocabulary("aA好"), folding: folding, maximumLength: 48)
        try made.write(to: directory.path)
        let loaded = try TokenizerFiles.load(directory: directory.path)
        #expect(loaded.kind == .characters)
        #expect(loaded.maximumLength == 48)
        #expect(loaded.pieces.entries == made.pieces.entries)
        #expect(loaded.specialTokens == made.specialTokens)
        #expect(loaded.tokenizer.encode("Ａa好b".utf8) == [3, 2, 4, 1])
    }
}
