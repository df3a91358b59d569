import Diagnostics
import Glibc
import Tensors

/// The state of reading word vectors line by line; see `WordVectors`. Its errors have no place.
struct WordVectorReader {
    private static let maximumDimensions = 65_536

    private let words: ByteStringTable
    private var isFound: [Bool]
    private var values: Matrix?
    private var statedWords: Int?
    /// Nothing is made for them before the first vector is seen: the file may be damaged, and the wanted words many.
    private var statedDimensions: Int?
    private var readWords = 0
    private var isFirst = true

    init(wanted: some Sequence<[UInt8]>) {
        words = ByteStringTable(wanted)
        isFound = [Bool](repeating: false, count: words.count)
    }

    /// Takes one line, without its line break and followed by a zero byte that isn't counted.
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
                    throw invalid("the first line states \(size) dimensions; from 1 to 65536 are possible")
                }
                statedWords = words
                statedDimensions = size
                return
            }
        }
        guard fields >= 2 else { throw invalid("a word and its numbers must stand here, separated by spaces") }
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
        guard !isFound[row] else { throw invalid("the word stands in the file twice") }
        isFound[row] = true
        try Self.parse(UnsafeBufferPointer(rebasing: line[end...]), into: matrix.row(row), count: matrix.columns)
    }

    func finish() throws(UnderstudyError) -> (Matrix, [Bool]) {
        if let statedWords, readWords < statedWords {
            throw invalid(
                "the first line states \(statedWords) words, but there are only \(readWords); the file is cut")
        }
        guard let values else { throw invalid("the file has no word vectors") }
        return (values, isFound)
    }

    private mutating func matrix(dimensions: Int) throws(UnderstudyError) -> Matrix {
        if let values { return values }
        guard dimensions <= Self.maximumDimensions else {
            throw invalid("the line has \(dimensions) numbers; at most 65536 are possible")
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

    /// `text` is a separator before each of `count` numbers, and a zero byte behind it ends the last.
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
