import Diagnostics
import Text

extension FuzzTargets {
    /// A tokenizer.json, up to its definition: everything is read and checked, no tables are built.
    static func tokenizerJSON(_ bytes: [UInt8]) {
        do throws(UnderstudyError) {
            let count = try TokenizerFiles.pieceCount(ofJSON: bytes, place: "tokenizer.json")
            hold(count <= bytes.count, "\(count) pieces of \(bytes.count) bytes")
        } catch {
            hold(error.place?.hasPrefix("tokenizer.json") ?? false, "an error at another place: \(error)")
            refuse(error)
        }
    }

    /// A vocab.txt. An accepted file must be equal after it is written and read again.
    static func vocabulary(_ bytes: [UInt8]) {
        do throws(UnderstudyError) {
            let vocabulary = try TokenizerFiles.vocabulary(ofText: bytes, place: "vocab.txt")
            let entries = vocabulary.entries
            let again = try TokenizerFiles.vocabulary(ofText: vocabulary.fileContents, place: "again.txt")
            hold(again.entries == entries, "entries that change when they are written")
            for (id, entry) in entries.enumerated() where !entry.isEmpty {
                hold(vocabulary.id(of: entry) == Int32(id), "entry \(id) isn't found")
            }
        } catch {
            hold(error.place == "vocab.txt", "an error at another place: \(error)")
            refuse(error)
        }
    }

    private static let tokenizerFolder = FuzzFolder("tokenizer-directory")

    /// A whole tokenizer, which then encodes a text: the files of its directory and the text, separated by zero bytes.
    /// Slow: its tables have an entry for every code point.
    static func tokenizerDirectory(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        tokenizerFolder.empty()
        for name in ["tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json"] {
            let part = input.part()
            if !part.isEmpty { tokenizerFolder.write(part, to: name) }
        }
        do throws(UnderstudyError) {
            let loaded = try TokenizerFiles.load(directory: tokenizerFolder.path)
            hold(loaded.maximumLength >= 1, "no line is short enough")
            encode(Array(input.rest), with: loaded.tokenizer, most: min(loaded.maximumLength, 64))
        } catch {
            hold(error.place?.hasPrefix(tokenizerFolder.path) ?? false, "an error at another place: \(error)")
            refuse(error)
        }
    }

    /// Any bytes as a line, for tokenizers of every kind. The first byte selects the tokenizer, the second the length.
    ///
    /// Tokenizers may assume UTF-8; for other input they must still not read beyond the line or return ids outside of
    /// the vocabulary.
    static func tokenize(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        let (choice, most) = (Int(input.byte()), Int(input.byte()))
        let text = Array(input.rest)
        encode(text, with: FuzzTokenizers.all[choice % FuzzTokenizers.all.count], most: most)
        let plan = FuzzTokenizers.plans[choice % FuzzTokenizers.plans.count]
        let fast = plan.normalize(text)
        guard isText(text) else { return }
        hold(fast == plan.normalizeStepwise(text), "the table normalises otherwise than the steps")
        hold(isText(fast), "normalised text that isn't UTF-8")
    }

    private static func encode(_ text: [UInt8], with tokenizer: any Tokenizer, most: Int) {
        let ids = tokenizer.encode(text, maximumLength: most)
        hold(ids.count <= most, "\(ids.count) ids where at most \(most) were asked for")
        hold(ids.allSatisfy { $0 >= 0 && Int($0) < tokenizer.vocabularySize }, "an id beyond the vocabulary")
        if isText(text) { hold(tokenizer.encode(text, maximumLength: most) == ids, "other ids the second time") }
    }
}
