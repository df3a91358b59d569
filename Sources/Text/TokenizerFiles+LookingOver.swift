import Diagnostics

extension TokenizerFiles {
    /// How many pieces the model of a `tokenizer.json` has: everything in it is read and checked, but none of the tables
    /// are made that cost milliseconds.
    package static func pieceCount(ofJSON contents: [UInt8], place: String) throws(UnderstudyError) -> Int {
        let definition = try TokenizerJSON(contents, place: place).definition()
        return switch definition.model {
        case .wordPiece(let pieces, _, _, _): pieces.count
        case .unigram(let pieces, _, _): pieces.count
        }
    }

    /// The same of a `vocab.txt`.
    package static func vocabulary(ofText contents: [UInt8], place: String) throws(UnderstudyError) -> Vocabulary {
        try Vocabulary.parse(contents, place: place)
    }
}
