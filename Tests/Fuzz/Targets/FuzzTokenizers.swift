import Diagnostics
import Text

/// Small tokenizers of every kind, made once.
enum FuzzTokenizers {
    static let all: [any Tokenizer] = [
        load(["vocab.txt": wordPieces]),
        load([
            "vocab.txt": wordPieces,
            "tokenizer_config.json": """
            {"do_lower_case": false, "tokenize_chinese_chars": false, "truncation_side": "left"}
            """,
        ]),
        load(["tokenizer.json": unigram(bytes: false)]),
        load(["tokenizer.json": unigram(bytes: true)]),
        load(["tokenizer.json": marked, "tokenizer_config.json": #"{"tokenizer_class": "PreTrainedTokenizerFast"}"#]),
        load([
            "vocab.txt": "[PAD]\n[UNK]\n港\n口\na\nb\né\n",
            "tokenizer_config.json": #"{"tokenizer_class": "CharacterTokenizer", "model_max_length": 64}"#,
        ]),
    ]

    static let plans: [NormalizationPlan] = [
        NormalizationPlan(
            NormalizerStep.bert(cleansText: true, spacesIdeographs: true, stripsAccents: nil, lowercases: true)),
        NormalizationPlan([.form(.nfkc), .lowercase]),
        NormalizationPlan([.form(.nfd), .dropCombiningMarks, .strip(left: true, right: true)]),
        NormalizationPlan([
            .form(.nfkd),
            .replace(.repeated(ScalarClass([0x20...0x20]), minimum: 2, maximum: .max), content: [0x20]),
        ]),
        NormalizationPlan([.form(.nfc), .replace(.text(Array("``".utf8)), content: Array("\"".utf8))]),
    ]

    private static let wordPieces = """
        [PAD]
        [UNK]
        [CLS]
        [SEP]
        [MASK]
        port
        ##s
        ##ing
        a
        ##a
        港
        口
        ##口
        !

        """

    private static let pieces = """
        ["<unk>",0.0],["▁",-2.0],["▁port",-3.5],["s",-4.0],["港口",-5.0],["港",-6.25],["A",-7.0],["fi",-7.5]
        """

    /// As in SentencePiece: a map of characters, spaces as marks, and unknown characters as bytes or as one piece.
    private static func unigram(bytes: Bool) -> String {
        let spelt = (0..<256).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return "[\"<0x\(digits.count < 2 ? "0" : "")\(digits)>\",-20.0]"
        }
        let all = bytes ? pieces + "," + spelt.joined(separator: ",") : pieces
        return """
            {"version": "1.0", "added_tokens": [{"id": 0, "content": "<unk>", "special": true}],
             "normalizer": {"type": "Sequence", "normalizers": [
               {"type": "Precompiled", "precompiled_charsmap": "\(FuzzTokenizers.characterMap)"},
               {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
             "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
             "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": \(bytes), "vocab": [\(all)]}}
            """
    }

    /// Added tokens of every kind: special or not, stripping, whole words, normalised.
    private static let marked = #"""
        {"version": "1.0",
         "added_tokens": [
           {"id": 0, "content": "[UNK]", "special": true},
           {"id": 4, "content": "<e>", "special": true, "lstrip": true, "rstrip": true},
           {"id": 5, "content": "Ab", "special": false, "normalized": true, "single_word": true},
           {"id": 6, "content": " ", "special": false, "normalized": false, "lstrip": true}],
         "normalizer": {"type": "Sequence", "normalizers": [
           {"type": "Prepend", "prepend": "▁"}, {"type": "NFKC"}, {"type": "Lowercase"},
           {"type": "Replace", "pattern": {"String": "''"}, "content": "\""}, {"type": "StripAccents"}]},
         "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
           {"type": "Whitespace"}, {"type": "BertPreTokenizer"}]},
         "post_processor": {"type": "TemplateProcessing", "single": [
           {"SpecialToken": {"id": "<e>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
           {"SpecialToken": {"id": "[UNK]", "type_id": 0}}],
           "special_tokens": {"<e>": {"id": "<e>", "ids": [4]}, "[UNK]": {"id": "[UNK]", "ids": [0]}}},
         "model": {"type": "WordPiece", "unk_token": "[UNK]", "max_input_chars_per_word": 12,
           "vocab": {"[UNK]": 0, "ab": 1, "##c": 2, "港": 3}}}
        """#

    /// Made by `characters_map` of Tests/Goldens/make-tokenizer-goldens.py.
    private static let characterMap = """
        AAQAAAAEAAAAAACAAgAAgAUAAIAGAACAAAAAgAgAAIAMAACADwAAgAAAAAAAAAAACikAAA00AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABl\
        lAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgQkCAIARAgCADAIAgQgCAAAAAACBCQIAghwCAAAAAAAAAAAAAAAAAIsgAgAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAJFEAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAmXkCAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAChoQIA\
        oJUCAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACtvQIArKQCAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAALzwAgAAAAAAAAAAAAAAAAAAAAAAAAAAAMIIAwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAADMMAMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAOOUAwDjgAMA4ogDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADvvAMAAAAAAAAAAAAAAAAA\
        AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgAMOpAAAxAOOBjABmaQBBAA==
        """

    private static func load(_ files: [String: String]) -> any Tokenizer {
        let folder = FuzzFolder("tokenizers")
        for (name, contents) in files { folder.write(Array(contents.utf8), to: name) }
        do throws(UnderstudyError) {
            return try TokenizerFiles.load(directory: folder.path).tokenizer
        } catch {
            // The files are part of this file: if one doesn't load, this file is wrong.
            fatalError("a tokenizer for fuzzing doesn't load: \(error)")
        }
    }
}
