import Models

/// Lines of text with their labels, where known: what models are trained and measured on.
///
/// A value: every operation gives a new set. The order of lines is kept unless an operation says otherwise.
public struct DataSet: Sendable {
    /// The index of a line whose label isn't known.
    public static let unknownLabel: Int32 = -1

    /// Label names in the order of the logits.
    public let labels: [String]
    public let lines: LineBatch
    /// (count), indices into `labels`, or −1 where the label isn't known.
    public let labelIndices: [Int32]
    /// (count), a stable hash of each text. Rows with the same text have the same one.
    public let textHashes: [UInt64]
    // (count), or empty where no line was given an id.
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

    /// Puts the lines at `indices`, in that order, into `batch`, which is emptied first and keeps its memory.
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
