import Diagnostics
import Models

extension DataSet {
    /// Reads a JSON Lines file of `{"text":…,"label":…,"id":…}` objects; blank lines are passed over, other fields
    /// ignored.
    ///
    /// - Parameter labels: the label order to read by; nil takes the names that occur, sorted by code point.
    /// - Throws: `missingInput` where the file can't be opened; `invalidData` at file:line for malformed JSON, a text
    ///   that is missing, a label that isn't a string or isn't one of `labels`; `invalidData` for a file without rows.
    public static func read(path: String, labels: [String]? = nil) throws(UnderstudyError) -> DataSet {
        let bytes = try FileContents.read(path: path)
        return try parse(bytes, name: path, labels: labels)
    }

    /// The same from a file's bytes; `name` is what errors call it.
    public static func parse(_ bytes: [UInt8], name: String, labels: [String]? = nil) throws(UnderstudyError) -> DataSet
    {
        var reading = Reading(name: name, labels: labels, bytes: bytes.count)
        let failure: UnderstudyError? = bytes.withUnsafeBufferPointer { all in
            do throws(UnderstudyError) {
                try reading.readAll(all)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        return try reading.finished()
    }
}

/// The state of reading one file.
private struct Reading {
    let name: String
    let known: [String]?
    var indexOfLabel: [String: Int32] = [:]
    var names: [String] = []
    var lines = LineBatch()
    var labelIndices: [Int32] = []
    var ids: [String?] = []

    init(name: String, labels: [String]?, bytes: Int) {
        self.name = name
        known = labels
        names = labels ?? []
        for (index, label) in names.enumerated() { indexOfLabel[label] = Int32(index) }
        lines.bytes.reserveCapacity(bytes)
    }

    mutating func readAll(_ all: UnsafeBufferPointer<UInt8>) throws(UnderstudyError) {
        var record = DataRecord()
        var start = 0
        // A byte order mark is allowed to be ignored (RFC 8259, section 8.1).
        if all.count >= 3, all[0] == 0xef, all[1] == 0xbb, all[2] == 0xbf { start = 3 }
        var number = 0
        while start < all.count {
            number += 1
            var end = start
            while end < all.count, all[end] != 0x0a { end += 1 }
            let line = UnsafeBufferPointer(rebasing: all[start..<end])
            start = end + 1
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }) { continue }
            do throws(UnderstudyError) {
                try record.read(line)
                try append(record)
            } catch {
                throw error.placed(at: "\(name):\(number)")
            }
        }
    }

    private mutating func append(_ record: DataRecord) throws(UnderstudyError) {
        var index = DataSet.unknownLabel
        if let label = record.label {
            if let found = indexOfLabel[label] {
                index = found
            } else if let known {
                throw UnderstudyError(
                    .invalidData,
                    "the label \"\(label)\" isn't one of the model's labels: \(known.joined(separator: ", "))")
            } else {
                index = Int32(names.count)
                indexOfLabel[label] = index
                names.append(label)
            }
        }
        record.text.withUnsafeBufferPointer { lines.append($0) }
        labelIndices.append(index)
        ids.append(record.id)
    }

    /// The set, its labels in their final order.
    consuming func finished() throws(UnderstudyError) -> DataSet {
        guard !labelIndices.isEmpty else {
            throw UnderstudyError(.invalidData, "holds no rows; one JSON object a line is expected", at: name)
        }
        if known == nil {
            // By UTF-8 bytes, which is by code point, which is Python's order of strings.
            let order = names.indices.sorted { names[$0].utf8.lexicographicallyPrecedes(names[$1].utf8) }
            var place = [Int32](repeating: 0, count: names.count)
            for (new, old) in order.enumerated() { place[old] = Int32(new) }
            names = order.map { names[$0] }
            labelIndices = labelIndices.map { $0 < 0 ? $0 : place[Int($0)] }
        }
        return DataSet(labels: names, lines: lines, labelIndices: labelIndices, ids: ids)
    }
}
