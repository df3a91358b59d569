import Diagnostics
import Tensors

/// Pretrained word vectors for a given vocabulary, from a file in word2vec's text format.
///
/// One word a line: the word, then its numbers, separated by spaces or tabs; an optional first line holds the number of
/// words and of dimensions. The file may be compressed (gzip). It is read as a stream and only wanted words are kept:
/// files run to gigabytes.
/// Source of the format: word2vec.c of Mikolov et al. 2013, and gensim's `save_word2vec_format(binary=False)`.
public struct WordVectors: Sendable {
    /// (wanted words, dimensions); the rows of words that the file doesn't have are zero.
    public let matrix: Matrix
    /// For every wanted word, whether the file has it.
    public let isFound: [Bool]

    public var dimensions: Int { matrix.columns }
    public var foundCount: Int { isFound.count { $0 } }

    /// Reads the vectors of `wanted` (UTF-8, distinct), whose indices become the matrix's rows.
    ///
    /// Errors: `missingInput` for no such file; `invalidData` at file:line for a line with another number of
    /// dimensions, a wanted word that stands there twice or has a value that isn't a finite number, a word count in
    /// the first line that the file doesn't keep, dimensions other than `expectedDimensions`, and a damaged gzip.
    public init(
        path: String, wanted: some Sequence<[UInt8]>, expectedDimensions: Int? = nil
    ) throws(UnderstudyError) {
        var reader = WordVectorReader(wanted: wanted)
        let lines = try CompressedLines(path: path)
        while let line = try lines.next() {
            do {
                try reader.read(line)
            } catch {
                throw error.placed(at: "\(path):\(lines.number)")
            }
        }
        do {
            (matrix, isFound) = try reader.finish()
        } catch {
            throw error.placed(at: path)
        }
        if let expectedDimensions, expectedDimensions != matrix.columns {
            throw UnderstudyError(
                .invalidData,
                "the vectors have \(matrix.columns) dimensions, but \(expectedDimensions) are needed", at: path)
        }
    }
}
