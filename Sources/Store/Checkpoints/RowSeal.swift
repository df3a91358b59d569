import Streams

/// The hash that a row carries of its own content, since SQLite has no checksums: XXH64 over the values in the order of
/// the columns, lengths before text, little-endian.
struct RowSeal {
    /// Keeps equal content of different tables apart.
    enum Table: UInt64 {
        case schema = 1
        case checkpoint, sink, total, disagreement, run
    }

    private var bytes: [UInt8] = []
    private let table: Table

    init(_ table: Table) {
        self.table = table
        bytes.reserveCapacity(256)
    }

    mutating func add(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func add(_ number: Int64) { add(UInt64(bitPattern: number)) }

    mutating func add(_ text: String) {
        add(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    mutating func add(_ numbers: [UInt64]) {
        add(UInt64(numbers.count))
        for number in numbers { add(number) }
    }

    mutating func add(_ numbers: [Float]) {
        add(UInt64(numbers.count))
        for number in numbers { withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes.append(contentsOf: $0) } }
    }

    var value: Int64 {
        Int64(bitPattern: bytes.withUnsafeBufferPointer { XXHash64.hash($0, seed: table.rawValue) })
    }
}
