import Testing
import Text

/// Equality with Transformers on the committed goldens.
struct TokenizerGoldenTests {
    static let tokenizers = [
        "bert-lower", "bert-cased", "bert-cased-strip", "bert-lower-accents", "bert-json", "plain-wordpiece",
        "unigram-e5", "unigram-charsmap", "unigram-xlm", "unigram-bytes", "unigram-never", "unigram-words",
        "unigram-first",
    ]

    @Test(arguments: tokenizers)
    func idsEqualTransformers(_ name: String) throws {
        let cases = try Goldens.cases()
        let wanted = try #require(cases.ids[name])
        #expect(wanted.count == cases.texts.count)
        let loaded = try TokenizerFiles.load(directory: Goldens.path(name))
        for (text, ids) in zip(cases.texts, wanted) {
            let found = loaded.tokenizer.encode(text.utf8, maximumLength: loaded.maximumLength)
            #expect(found == ids, "\(text.unicodeScalars.map { String($0.value, radix: 16) })")
        }
    }

    @Test func everyGoldenIsTested() throws {
        #expect(try Set(Goldens.cases().ids.keys) == Set(Self.tokenizers))
    }

    /// Ids of a batch don't depend on what the scratch memory was used for before.
    @Test(arguments: tokenizers)
    func scratchCanBeReused(_ name: String) throws {
        let cases = try Goldens.cases()
        let wanted = try #require(cases.ids[name])
        let loaded = try TokenizerFiles.load(directory: Goldens.path(name))
        let scratch = TokenizerScratch()
        var batch = TokenBatch()
        for text in cases.texts.reversed() {
            Array(text.utf8).withUnsafeBufferPointer {
                batch.append($0, maximumLength: loaded.maximumLength, with: loaded.tokenizer, scratch: scratch)
            }
        }
        #expect(batch.ids == wanted.reversed().flatMap(\.self))
        #expect(batch.count == wanted.count)
    }

    /// A cut line is the uncut one's beginning, between the same special tokens.
    @Test(arguments: ["bert-cased-strip", "unigram-e5", "unigram-words"])
    func truncationKeepsSpecialTokens(_ name: String) throws {
        let loaded = try TokenizerFiles.load(directory: Goldens.path(name))
        for text in try Goldens.cases().texts {
            let whole = loaded.tokenizer.encode(text.utf8)
            for length in 2...12 where length < whole.count {
                let cut = loaded.tokenizer.encode(text.utf8, maximumLength: length)
                #expect(cut == whole.prefix(length - 1) + whole.suffix(1))
            }
            for length in 0..<2 { #expect(loaded.tokenizer.encode(text.utf8, maximumLength: length).count == length) }
        }
    }

    @Test func wordPieceFromVocabularyEqualsFiles() throws {
        let cases = try Goldens.cases()
        let vocabulary = try Vocabulary.read(Goldens.path("bert-lower") + "/vocab.txt")
        let tokenizer = try WordPieceTokenizer(vocabulary: vocabulary)
        let wanted = try #require(cases.ids["bert-lower"])
        for (text, ids) in zip(cases.texts, wanted) { #expect(tokenizer.encode(text.utf8, maximumLength: 128) == ids) }
    }
}
