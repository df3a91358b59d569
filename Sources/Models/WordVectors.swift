import Bytes
import Diagnostics
import Glibc
import Tensors

/// Pretrained word vectors for a given vocabulary, from a file in word2vec's text format.
///
/// One word per line: the word, then its numbers, separated by spaces or tabs; an optional first line holds the number
/// of words and of dimensions. The file may be compressed (gzip). It is read as a stream and only wanted words are
/// kept, since files may have gigabytes. Source of the format: word2vec.c of Mikolov et al. 2013, and gensim's
/// `save_word2vec_format(binary=False)`.
public struct WordVectors: Sendable {
    /// (wanted words, dimensions); the rows of words that aren't in the file are zero.
    public let matrix: Matrix
    /// For every wanted word, whether it is in the file.
    public let isFound: [Bool]

    public var dimensions: Int { matrix.columns }
    public var foundCount: Int { isFound.count { $0 } }

    /// Reads the vectors of `wanted` (UTF-8, distinct), whose indices become the matrix's rows.
    ///
    /// Errors: `missingInput` for a missing file; `invalidData` at file:line for a line with another number of
    /// dimensions, a wanted word that is duplicate or has a value that isn't a finite number, a first line whose word
    /// count doesn't match the file, dimensions other than `expectedDimensions`, and a damaged gzip.
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

/// The state of reading word vectors line by line; see `WordVectors`. Its errors have no position.
struct WordVectorReader {
    private static let maximumDimensions = 65_536

    private let words: ByteStringTable
    private var isFound: [Bool]
    private var values: Matrix?
    private var statedWords: Int?
    /// Nothing is allocated for them before the first vector is read: the file may be damaged, and the wanted words
    /// many.
    private var statedDimensions: Int?
    private var readWords = 0
    private var isFirst = true

    init(wanted: some Sequence<[UInt8]>) {
        words = ByteStringTable(wanted)
        isFound = [Bool](repeating: false, count: words.count)
    }

    /// Processes one line, without its line break and followed by a zero byte that isn't counted.
    mutating func read(_ line: UnsafeBufferPointer<UInt8>) throws(UnderstudyError) {
        var line = line
        while let last = line.last, Self.isSeparator(last) || last == 0x0d {
            line = UnsafeBufferPointer(rebasing: line.dropLast())
        }
        let fields = Self.fieldCount(line)
        if isFirst {
            isFirst = false
            if fields == 2, let words = Self.wholeNumber(line, field: 0), let size = Self.wholeNumber(line, field: 1) {
                guard size >= 1, size <= Self.maximumDimensions else {
                    throw invalid("the first line states \(size) dimensions; from 1 to 65536 are allowed")
                }
                statedWords = words
                statedDimensions = size
                return
            }
        }
        guard fields >= 2 else { throw invalid("expected a word and its numbers, separated by spaces") }
        if let needed = values?.columns ?? statedDimensions, fields - 1 != needed {
            throw invalid("the line has \(fields - 1) numbers, but \(needed) are needed")
        }
        let matrix = try matrix(dimensions: fields - 1)
        readWords += 1
        if let statedWords, readWords > statedWords {
            throw invalid("the first line states \(statedWords) words, but there are more")
        }
        let end = line.firstIndex(where: Self.isSeparator) ?? line.count
        guard let row = words.index(of: UnsafeBufferPointer(rebasing: line[..<end])) else { return }
        guard !isFound[row] else { throw invalid("the word is repeated") }
        isFound[row] = true
        try Self.parse(UnsafeBufferPointer(rebasing: line[end...]), into: matrix.row(row), count: matrix.columns)
    }

    func finish() throws(UnderstudyError) -> (Matrix, [Bool]) {
        if let statedWords, readWords < statedWords {
            throw invalid(
                "the first line states \(statedWords) words, but there are only \(readWords); the file is truncated")
        }
        guard let values else { throw invalid("the file has no word vectors") }
        return (values, isFound)
    }

    private mutating func matrix(dimensions: Int) throws(UnderstudyError) -> Matrix {
        if let values { return values }
        guard dimensions <= Self.maximumDimensions else {
            throw invalid("the line has \(dimensions) numbers; at most 65536 are allowed")
        }
        let matrix = Matrix(rows: words.count, columns: dimensions)
        values = matrix
        return matrix
    }

    private func invalid(_ message: String) -> UnderstudyError { UnderstudyError(.invalidData, message) }

    private static func isSeparator(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func fieldCount(_ line: UnsafeBufferPointer<UInt8>) -> Int {
        var fields = 0
        var inSeparator = true
        for byte in line {
            let separates = isSeparator(byte)
            if inSeparator && !separates { fields &+= 1 }
            inSeparator = separates
        }
        return fields
    }

    private static func wholeNumber(_ line: UnsafeBufferPointer<UInt8>, field: Int) -> Int? {
        let parts = line.split(whereSeparator: isSeparator)
        guard parts.indices.contains(field), parts[field].allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int(String(decoding: parts[field], as: UTF8.self))
    }

    /// `text` has a separator before each of `count` numbers, and a zero byte after the last one.
    private static func parse(
        _ text: UnsafeBufferPointer<UInt8>, into row: UnsafeMutablePointer<Float>, count: Int
    ) throws(UnderstudyError) {
        guard let base = text.baseAddress else { return }
        var rest = UnsafeRawPointer(base).assumingMemoryBound(to: CChar.self)
        let textEnd = rest + text.count
        for index in 0..<count {
            var end: UnsafeMutablePointer<CChar>?
            let value = strtof(rest, &end)
            guard let end, end > rest, end == textEnd || isSeparator(UInt8(bitPattern: end.pointee)), value.isFinite
            else { throw UnderstudyError(.invalidData, "number \(index + 1) of the line is not a finite number") }
            row[index] = value
            rest = UnsafePointer(end)
        }
    }
}

/// A fixed set of distinct byte strings. Lookups use bytes in place, without copying them to an array.
struct ByteStringTable {
    private let bytes: [UInt8]
    private let offsets: [Int]
    /// Open addressing with linear probing: an index into the strings, or -1. At most half full.
    private var slots: [Int32]

    /// A duplicate string is found at its first index.
    init(_ strings: some Sequence<[UInt8]>) {
        var bytes: [UInt8] = []
        var offsets = [0]
        for string in strings {
            bytes.append(contentsOf: string)
            offsets.append(bytes.count)
        }
        self.bytes = bytes
        self.offsets = offsets
        var capacity = 16
        while capacity < 2 * offsets.count { capacity *= 2 }
        slots = [Int32](repeating: -1, count: capacity)
        for index in 0..<count {
            let range = offsets[index]..<offsets[index + 1]
            let place = bytes.withUnsafeBufferPointer { slot(of: UnsafeBufferPointer(rebasing: $0[range])) }
            if slots[place] < 0 { slots[place] = Int32(index) }
        }
    }

    var count: Int { offsets.count - 1 }

    func index(of string: UnsafeBufferPointer<UInt8>) -> Int? {
        let found = slots[slot(of: string)]
        return found < 0 ? nil : Int(found)
    }

    /// The slot that holds `string`, or the empty slot where it belongs.
    private func slot(of string: UnsafeBufferPointer<UInt8>) -> Int {
        let hash = StableHash.fnv1a(string)
        var slot = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & (slots.count - 1)
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if bytes[offsets[index]..<offsets[index + 1]].elementsEqual(string) { break }
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }
}
