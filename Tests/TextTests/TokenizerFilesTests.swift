import Diagnostics
import Foundation
import TestSupport
import Testing
import Text

/// What `TokenizerFiles` reads, refuses and writes.
struct TokenizerFilesTests {
    private static let vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\nhello\nHello\n你\n"

    private static func load(_ files: [String: String]) throws -> LoadedTokenizer {
        let directory = try TemporaryFolder()
        for (name, contents) in files { try directory.write(contents, to: name) }
        return try TokenizerFiles.load(directory: directory.path)
    }

    @Test func aVocabularyAloneIsEnough() throws {
        let loaded = try Self.load(["vocab.txt": Self.vocabulary])
        #expect(loaded.kind == .wordPiece)
        #expect(loaded.maximumLength == 512)
        #expect(loaded.tokenizer.encode("HELLO [MASK] ab 你".utf8) == [2, 7, 4, 5, 6, 9, 3])
        var special = LoadedTokenizer.SpecialTokens()
        special.padding = 0
        special.unknown = 1
        special.classification = 2
        special.separator = 3
        special.mask = 4
        #expect(loaded.specialTokens == special)
        #expect(loaded.pieces[6] == Array("##b".utf8))
    }

    @Test func lengthsComeFromTheFilesOrTheCaller() throws {
        let config = #"{"model_type":"bert","max_position_embeddings":128}"#
        #expect(try Self.load(["vocab.txt": Self.vocabulary, "config.json": config]).maximumLength == 128)
        let shorter = #"{"model_max_length":64}"#
        let both = ["vocab.txt": Self.vocabulary, "config.json": config, "tokenizer_config.json": shorter]
        #expect(try Self.load(both).maximumLength == 64)
        // What Transformers writes for 'no limit'.
        let endless = #"{"model_max_length":1000000000000000019884624838656}"#
        let open = ["vocab.txt": Self.vocabulary, "config.json": config, "tokenizer_config.json": endless]
        #expect(try Self.load(open).maximumLength == 128)
        #expect(
            try TokenizerFiles.load(directory: Goldens.path("bert-lower"), maximumLength: 9).maximumLength == 9)
    }

    @Test func specialTokensCanBeOrdinaryText() throws {
        let files = ["vocab.txt": Self.vocabulary, "tokenizer_config.json": #"{"split_special_tokens":true}"#]
        #expect(try Self.load(files).tokenizer.encode("[MASK]".utf8) == [2, 1, 1, 1, 3])
        let none = ["vocab.txt": Self.vocabulary, "tokenizer_config.json": #"{"mask_token":null}"#]
        #expect(try Self.load(none).tokenizer.encode("[MASK]".utf8) == [2, 1, 1, 1, 3])
    }

    @Test func addedTokensGetTheNextIds() throws {
        let added = ["vocab.txt": Self.vocabulary, "added_tokens.json": #"{"<x>":10,"hello you":11}"#]
        let loaded = try Self.load(added)
        #expect(loaded.tokenizer.encode("a<X> <x>HELLO you".utf8) == [2, 5, 10, 10, 11, 3])
        #expect(loaded.vocabularySize == 12)
        #expect(loaded.tokenizer.vocabularySize == 12)
        #expect(loaded.pieces[11] == Array("hello you".utf8))
        let wrong = ["vocab.txt": Self.vocabulary, "added_tokens.json": #"{"<x>":17}"#]
        #expect(throws: UnderstudyError.self) { try Self.load(wrong) }
    }

    @Test(arguments: ["bert-json", "unigram-xlm", "unigram-bytes", "bert-cased"])
    func writesItsFilesAsTheyAre(_ name: String) throws {
        let directory = try TemporaryFolder()
        let loaded = try TokenizerFiles.load(directory: Goldens.path(name))
        try loaded.write(to: directory.path)
        for file in try FileManager.default.contentsOfDirectory(atPath: Goldens.path(name)) where file != "config.json"
        {
            let original = FileManager.default.contents(atPath: "\(Goldens.path(name))/\(file)")
            #expect(original == FileManager.default.contents(atPath: "\(directory.path)/\(file)"))
        }
        let again = try TokenizerFiles.load(directory: directory.path, maximumLength: loaded.maximumLength)
        for text in try Goldens.cases().texts {
            let wanted = loaded.tokenizer.encode(text.utf8, maximumLength: loaded.maximumLength)
            #expect(again.tokenizer.encode(text.utf8, maximumLength: again.maximumLength) == wanted)
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let file: String
        let contents: String
        let code: UnderstudyError.Code
        /// A part of the message.
        let message: String
        var others: [String: String] = [:]
        var testDescription: String { message }
    }

    private static func unigram(
        normalizer: String = "null", preTokenizer: String = "null", processor: String = "null", unknown: String = "0",
        vocabulary: String = #"[["<unk>",0],["a",-1]]"#, type: String = "Unigram"
    ) -> String {
        """
        {"version":"1.0","added_tokens":[],"normalizer":\(normalizer),"pre_tokenizer":\(preTokenizer),
        "post_processor":\(processor),"model":{"type":"\(type)","unk_id":\(unknown),"vocab":\(vocabulary)}}
        """
    }

    static let refusals: [Refusal] = [
        .init(file: "vocab.txt", contents: "", code: .invalidData, message: "empty"),
        .init(
            file: "vocab.txt", contents: "[UNK]\n[CLS]\n[SEP]\na\na\n", code: .invalidData, message: "'a' is repeated"),
        .init(file: "vocab.txt", contents: "[CLS]\n[SEP]\na\n", code: .invalidData, message: "'[UNK]' isn't in"),
        .init(file: "tokenizer.json", contents: "{", code: .invalidData, message: "may be truncated"),
        .init(file: "tokenizer.json", contents: "[]", code: .invalidData, message: "expected an object"),
        .init(file: "tokenizer.json", contents: "{}", code: .invalidData, message: "no model"),
        .init(
            file: "tokenizer.json", contents: String(repeating: "[", count: 10_000), code: .invalidData,
            message: "nested deeper"),
        .init(file: "tokenizer.json", contents: #"{"a":"\ud800"}"#, code: .invalidData, message: "surrogate"),
        .init(file: "tokenizer.json", contents: unigram(type: "BPE"), code: .invalidData, message: "BPE"),
        .init(file: "tokenizer.json", contents: unigram(unknown: "2"), code: .invalidData, message: "unk_id is 2"),
        .init(file: "tokenizer.json", contents: unigram(unknown: "-1"), code: .invalidData, message: "unk_id"),
        .init(file: "tokenizer.json", contents: unigram(unknown: "null"), code: .invalidData, message: "unk_id"),
        .init(file: "tokenizer.json", contents: unigram(vocabulary: "[]"), code: .invalidData, message: "empty"),
        .init(
            file: "tokenizer.json", contents: unigram(vocabulary: #"[["a",NaN]]"#), code: .invalidData,
            message: "expected a value"),
        .init(
            file: "tokenizer.json", contents: unigram(vocabulary: #"[["a",1e999]]"#), code: .invalidData,
            message: "too large"),
        .init(
            file: "tokenizer.json", contents: unigram(vocabulary: #"[["a",0],["a",1]]"#), code: .invalidData,
            message: "is repeated"),
        .init(
            file: "tokenizer.json", contents: unigram(vocabulary: #"[["a"]]"#), code: .invalidData,
            message: "isn't a pair"),
        .init(
            file: "tokenizer.json", contents: unigram(normalizer: #"{"type":"Nmt"}"#), code: .invalidData,
            message: "normalizer 'Nmt'"),
        .init(
            file: "tokenizer.json",
            contents: unigram(normalizer: #"{"type":"Replace","pattern":{"Regex":"(a|b)"},"content":""}"#),
            code: .invalidData, message: "'(a|b)'"),
        .init(
            file: "tokenizer.json",
            contents: unigram(normalizer: #"{"type":"Precompiled","precompiled_charsmap":"AAAA"}"#), code: .invalidData,
            message: "precompiled_charsmap"),
        .init(
            file: "tokenizer.json", contents: unigram(preTokenizer: #"{"type":"ByteLevel"}"#), code: .invalidData,
            message: "pre-tokenizer 'ByteLevel'"),
        .init(
            file: "tokenizer.json", contents: unigram(processor: #"{"type":"ByteLevel"}"#), code: .invalidData,
            message: "post-processor 'ByteLevel'"),
        .init(
            file: "tokenizer.json",
            contents: unigram(processor: #"{"type":"BertProcessing","sep":["a",9],"cls":["a",1]}"#),
            code: .invalidData, message: "id 9"),
        .init(
            file: "tokenizer_config.json", contents: #"{"tokenizer_class":"T5Tokenizer"}"#, code: .invalidData,
            message: "T5Tokenizer", others: ["vocab.txt": vocabulary]),
        .init(
            file: "tokenizer_config.json", contents: #"{"tokenizer_class":7"#, code: .invalidData, message: "comma",
            others: ["vocab.txt": vocabulary]),
    ]

    @Test(arguments: refusals)
    func refusesByNameAndFile(_ refusal: Refusal) throws {
        let directory = try TemporaryFolder()
        for (name, contents) in refusal.others { try directory.write(contents, to: name) }
        try directory.write(refusal.contents, to: refusal.file)
        let error = #expect(throws: UnderstudyError.self) { try TokenizerFiles.load(directory: directory.path) }
        #expect(error?.code == refusal.code)
        #expect(error?.message.contains(refusal.message) ?? false, "\(error?.description ?? "")")
        #expect(error?.place?.hasPrefix("\(directory.path)/\(refusal.file)") ?? false, "\(error?.place ?? "")")
    }

    @Test func invalidUTF8IsRefused() throws {
        for file in ["vocab.txt", "tokenizer.json"] {
            let directory = try TemporaryFolder()
            try directory.write([0x5B, 0xC3, 0x28, 0x0A], to: file)
            let error = #expect(throws: UnderstudyError.self) { try TokenizerFiles.load(directory: directory.path) }
            #expect(error?.place == "\(directory.path)/\(file)")
        }
    }

    @Test func anEmptyOrMissingDirectoryIsMissingInput() throws {
        let directory = try TemporaryFolder()
        for path in [directory.path, directory.path + "/none"] {
            let error = #expect(throws: UnderstudyError.self) { try TokenizerFiles.load(directory: path) }
            #expect(error?.code == .missingInput)
            #expect(error?.place == path)
        }
    }
}
