import Foundation
import GRDB

/// Text in a column: its UTF-8 bytes as a blob.
enum StoredText {
    static func bytes(_ text: String) -> Data { Data(text.utf8) }

    /// nil if the column has another type. Invalid UTF-8 is replaced.
    static func text(_ row: Row, _ column: Int) -> String? {
        StoredBytes.read(row, column) { String(decoding: $0, as: UTF8.self) }
    }
}

/// Bytes of a column. GRDB's own conversions trap if a damaged file holds a value of another type; these don't.
enum StoredBytes {
    static func read<Value>(_ row: Row, _ column: Int, _ body: (UnsafeRawBufferPointer) -> Value) -> Value? {
        let value: Value?? = try? row.withUnsafeData(atIndex: column) { data in
            data.map { $0.withUnsafeBytes(body) }
        }
        return value ?? nil
    }
}

/// Numbers of a column.
enum StoredNumber {
    static func integer(_ row: Row, _ column: Int) -> Int64? {
        let value: DatabaseValue = row[column]
        guard case .int64(let number) = value.storage else { return nil }
        return number
    }

    static func unsigned(_ row: Row, _ column: Int) -> UInt64? {
        integer(row, column).map(UInt64.init(bitPattern:))
    }

    /// SQLite stores no NaN: it becomes NULL, and NULL is read as NaN.
    static func float(_ row: Row, _ column: Int) -> Float? {
        let value: DatabaseValue = row[column]
        switch value.storage {
        case .null: return .nan
        case .double(let number): return Float(number)
        case .int64(let number): return Float(number)
        default: return nil
        }
    }
}

/// Lists of fixed-width numbers as blobs, little-endian.
enum StoredList {
    static func bytes(_ numbers: [UInt64]) -> Data {
        var data = Data(capacity: 8 * numbers.count)
        for number in numbers { withUnsafeBytes(of: number.littleEndian) { data.append(contentsOf: $0) } }
        return data
    }

    static func bytes(_ numbers: [Float]) -> Data {
        var data = Data(capacity: 4 * numbers.count)
        for number in numbers {
            withUnsafeBytes(of: number.bitPattern.littleEndian) { data.append(contentsOf: $0) }
        }
        return data
    }

    /// Each text follows its length in bytes (four bytes).
    static func bytes(_ texts: [String]) -> Data {
        var data = Data()
        for text in texts {
            withUnsafeBytes(of: UInt32(clamping: text.utf8.count).littleEndian) { data.append(contentsOf: $0) }
            data.append(contentsOf: text.utf8)
        }
        return data
    }

    static func numbers(_ row: Row, _ column: Int) -> [UInt64]? {
        StoredBytes.read(row, column) { bytes in
            guard bytes.count.isMultiple(of: 8) else { return nil }
            return stride(from: 0, to: bytes.count, by: 8).map {
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self))
            }
        } ?? nil
    }

    static func floats(_ row: Row, _ column: Int) -> [Float]? {
        StoredBytes.read(row, column) { bytes in
            guard bytes.count.isMultiple(of: 4) else { return nil }
            return stride(from: 0, to: bytes.count, by: 4).map {
                Float(
                    bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
            }
        } ?? nil
    }

    static func texts(_ row: Row, _ column: Int) -> [String]? {
        StoredBytes.read(row, column) { bytes in
            var texts: [String] = []
            var position = 0
            while position < bytes.count {
                guard bytes.count - position >= 4 else { return nil }
                let length = Int(
                    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
                position += 4
                guard bytes.count - position >= length else { return nil }
                texts.append(String(decoding: bytes[position..<(position + length)], as: UTF8.self))
                position += length
            }
            return texts
        } ?? nil
    }
}
