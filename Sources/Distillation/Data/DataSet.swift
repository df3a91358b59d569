import Bytes
import Diagnostics
import Glibc
import Models
import Tensors

/// Lines of text with their labels, if known, for training and evaluation.
///
/// A value: every operation returns a new set. The order of lines is kept unless an operation says otherwise.
public struct DataSet: Sendable {
    /// The index of a line whose label is unknown.
    public static let unknownLabel: Int32 = -1

    /// Label names in the order of the logits.
    public let labels: [String]
    public let lines: LineBatch
    /// (count), indices into `labels`, or −1 if the label is unknown.
    public let labelIndices: [Int32]
    /// (count), a stable hash of each text. Rows with the same text have the same hash.
    public let textHashes: [UInt64]
    // (count), or empty if no line has a given id.
    let givenIDs: [String?]

    /// - Parameters:
    ///   - labelIndices: one per line, each −1 or an index into `labels`.
    ///   - ids: one per line, or empty.
    public init(labels: [String], lines: LineBatch, labelIndices: [Int32], ids: [String?] = []) {
        precondition(labelIndices.count == lines.count, "\(labelIndices.count) labels for \(lines.count) lines")
        precondition(ids.isEmpty || ids.count == lines.count, "\(ids.count) ids for \(lines.count) lines")
        precondition(labelIndices.allSatisfy { $0 >= -1 && Int($0) < labels.count }, "a label index is out of range")
        self.labels = labels
        self.lines = lines
        self.labelIndices = labelIndices
        var hashes: [UInt64] = []
        hashes.reserveCapacity(lines.count)
        lines.forEachLine { _, bytes in hashes.append(StableHash.hash(bytes)) }
        textHashes = hashes
        givenIDs = ids.contains { $0 != nil } ? ids : []
    }

    public var count: Int { labelIndices.count }
    public var isEmpty: Bool { labelIndices.isEmpty }
    public var labelledCount: Int { labelIndices.reduce(0) { $0 + ($1 >= 0 ? 1 : 0) } }

    /// The line's id: the given one, or its text's hash in 16 hexadecimal digits.
    public func id(_ index: Int) -> String {
        if !givenIDs.isEmpty, let given = givenIDs[index] { return given }
        let digits = String(textHashes[index], radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    public func text(_ index: Int) -> String {
        String(decoding: lines.bytes[lines.offsets[index]..<lines.offsets[index + 1]], as: UTF8.self)
    }

    /// Length of a line in bytes.
    public func byteLength(_ index: Int) -> Int { lines.offsets[index + 1] - lines.offsets[index] }

    /// Copies the lines at `indices`, in that order, into `batch`, which is emptied first; its memory is reused.
    public func gather(_ indices: some Sequence<Int>, into batch: inout LineBatch) {
        batch.removeAll()
        lines.bytes.withUnsafeBufferPointer { bytes in
            for index in indices {
                batch.append(UnsafeBufferPointer(rebasing: bytes[lines.offsets[index]..<lines.offsets[index + 1]]))
            }
        }
    }

    /// The rows at `indices`, in that order.
    public func rows(_ indices: [Int]) -> DataSet {
        var batch = LineBatch()
        gather(indices, into: &batch)
        return DataSet(
            labels: labels, lines: batch, labelIndices: indices.map { labelIndices[$0] },
            ids: givenIDs.isEmpty ? [] : indices.map { givenIDs[$0] })
    }
}

extension DataSet {
    /// Reads a JSON Lines file of `{"text":…,"label":…,"id":…}` objects; blank lines and other fields are ignored.
    ///
    /// - Parameter labels: the label order to use; nil uses the names that occur, sorted by code point.
    /// - Throws: `missingInput` if the file can't be opened; `invalidData` at file:line for malformed JSON, a missing
    ///   text, a label that isn't a string or isn't one of `labels`; `invalidData` for a file without rows.
    public static func read(path: String, labels: [String]? = nil) throws(UnderstudyError) -> DataSet {
        let bytes = try FileContents.read(path: path)
        return try parse(bytes, name: path, labels: labels)
    }

    /// The same from a file's bytes; `name` is the file's name in errors.
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
        // A byte order mark may be ignored (RFC 8259, section 8.1).
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
        lines.append(record.text.bytes)
        labelIndices.append(index)
        ids.append(record.id)
    }

    /// The set, its labels in their final order.
    consuming func finished() throws(UnderstudyError) -> DataSet {
        guard !labelIndices.isEmpty else {
            throw UnderstudyError(.invalidData, "contains no rows; expected one JSON object per line", at: name)
        }
        if known == nil {
            // Order by UTF-8 bytes equals order by code point, which is Python's order of strings.
            let order = names.indices.sorted { names[$0].utf8.lexicographicallyPrecedes(names[$1].utf8) }
            var place = [Int32](repeating: 0, count: names.count)
            for (new, old) in order.enumerated() { place[old] = Int32(new) }
            names = order.map { names[$0] }
            labelIndices = labelIndices.map { $0 < 0 ? $0 : place[Int($0)] }
        }
        return DataSet(labels: names, lines: lines, labelIndices: labelIndices, ids: ids)
    }
}

/// Reads a file into memory.
enum FileContents {
    /// All bytes of a file; a pipe is read to its end.
    static func read(path: String) throws(UnderstudyError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let number = errno
            throw UnderstudyError(
                .reading(number, else: .missingInput), "can't be opened: \(reason(number))", at: path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw UnderstudyError(.missingInput, "can't be examined: \(reason(errno))", at: path)
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw UnderstudyError(.missingInput, "is a directory; name a JSON Lines file in it", at: path)
        }
        return try rest(of: descriptor, size: Int(status.st_size), path: path)
    }

    /// The bytes from the descriptor's position on; `size` is their expected number.
    static func rest(of descriptor: Int32, size: Int = 0, path: String) throws(UnderstudyError) -> [UInt8] {
        // One byte more than the size, so that the end of a regular file is seen without growing the array.
        var bytes = [UInt8](repeating: 0, count: max(size + 1, 65536))
        var filled = 0
        while true {
            if filled == bytes.count { bytes.append(contentsOf: repeatElement(0, count: bytes.count)) }
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                throw UnderstudyError(.inputOutput, "can't be read: \(reason(errno))", at: path)
            }
            if count == 0 { break }
            filled += count
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}

/// Splitting, joining and reordering data sets.
extension DataSet {
    /// Two parts by a hash of the text: rows with the same text are in the same part, in any file and order, and the
    /// part doesn't depend on the other rows (unless stratified).
    ///
    /// - Parameters:
    ///   - validationShare: the share of texts for validation, 0 to 1; met on average, or closely when stratified.
    ///   - salt: another salt gives another split.
    ///   - stratified: takes the same share of each label's texts (and of the unlabelled). A text with several labels
    ///     has the label of its first row.
    public func split(
        validationShare: Double, salt: UInt64 = 0, stratified: Bool = false
    ) -> (train: DataSet, validation: DataSet) {
        precondition(validationShare >= 0 && validationShare <= 1, "a share must be between 0 and 1")
        let inValidation: (UInt64) -> Bool
        if stratified {
            let chosen = stratifiedTexts(share: validationShare, salt: salt)
            inValidation = { chosen.contains($0) }
        } else {
            inValidation = { Self.position(of: $0, salt: salt) < validationShare }
        }
        var train: [Int] = []
        var validation: [Int] = []
        for index in 0..<count {
            if inValidation(textHashes[index]) { validation.append(index) } else { train.append(index) }
        }
        return (rows(train), rows(validation))
    }

    // A text's position in [0, 1).
    private static func position(of hash: UInt64, salt: UInt64) -> Double {
        Double(StableHash.mixed(hash ^ StableHash.mixed(salt &+ 0x9e37_79b9_7f4a_7c15)) >> 11) * 0x1p-53
    }

    private func stratifiedTexts(share: Double, salt: UInt64) -> Set<UInt64> {
        var seen = Set<UInt64>()
        var texts = [[UInt64]](repeating: [], count: labels.count + 1)
        for index in 0..<count where seen.insert(textHashes[index]).inserted {
            texts[Int(labelIndices[index]) + 1].append(textHashes[index])
        }
        var chosen = Set<UInt64>()
        for group in texts {
            let wanted = Int((Double(group.count) * share).rounded())
            let placed = group.map { (position: Self.position(of: $0, salt: salt), hash: $0) }
                .sorted { ($0.position, $0.hash) < ($1.position, $1.hash) }
            for text in placed.prefix(wanted) { chosen.insert(text.hash) }
        }
        return chosen
    }

    /// This set's rows, then the other's. A set whose rows are all unlabelled gets the other's labels.
    ///
    /// - Throws: `invalidData` if the label orders differ.
    public func concatenated(with other: DataSet) throws(UnderstudyError) -> DataSet {
        guard labels == other.labels || labels.isEmpty || other.labels.isEmpty else {
            throw UnderstudyError(
                .invalidData,
                "data sets with different labels can't be joined: \(labels.joined(separator: ", ")) and "
                    + other.labels.joined(separator: ", "))
        }
        var batch = lines
        other.lines.forEachLine { _, bytes in batch.append(bytes) }
        var ids: [String?] = []
        if !givenIDs.isEmpty || !other.givenIDs.isEmpty {
            ids = givenIDs.isEmpty ? Array(repeating: nil, count: count) : givenIDs
            ids += other.givenIDs.isEmpty ? Array(repeating: nil, count: other.count) : other.givenIDs
        }
        return DataSet(
            labels: labels.isEmpty ? other.labels : labels, lines: batch,
            labelIndices: labelIndices + other.labelIndices, ids: ids)
    }

    /// The rows whose text isn't in `other`.
    public func excluding(textsOf other: DataSet) -> DataSet {
        let excluded = Set(other.textHashes)
        return rows((0..<count).filter { !excluded.contains(textHashes[$0]) })
    }

    /// The first row of each text.
    public func withoutDuplicates() -> DataSet {
        var seen = Set<UInt64>()
        return rows((0..<count).filter { seen.insert(textHashes[$0]).inserted })
    }

    /// The rows in an order determined by the seed alone.
    public func shuffled(seed: UInt64) -> DataSet {
        var generator = SeededGenerator(seed: seed)
        return rows(generator.permutation(count))
    }

    /// The rows whose label is known.
    public func labelled() -> DataSet {
        rows((0..<count).filter { labelIndices[$0] >= 0 })
    }

    /// All rows without their labels.
    public func withoutLabels() -> DataSet {
        DataSet(
            labels: labels, lines: lines, labelIndices: Array(repeating: Self.unknownLabel, count: count), ids: givenIDs
        )
    }
}
