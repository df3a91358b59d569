import Diagnostics
import Models
import Tensors

/// Splitting, joining and reordering data sets.
extension DataSet {
    /// Two parts by a hash of the text: rows with the same text land on the same side, whatever file or order they
    /// come in, and a text's side doesn't depend on the other rows (unless stratified).
    ///
    /// - Parameters:
    ///   - validationShare: the share of texts for validation, 0 to 1; met on average, or closely when stratified.
    ///   - salt: another salt gives another split.
    ///   - stratified: takes the same share of each label's texts (and of the unlabelled). A text with several labels
    ///     counts as its first row's.
    public func split(
        validationShare: Double, salt: UInt64 = 0, stratified: Bool = false
    ) -> (train: DataSet, validation: DataSet) {
        precondition(validationShare >= 0 && validationShare <= 1, "a share lies between 0 and 1")
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

    // Where a text falls in [0, 1).
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

    /// This set's rows, then the other's. A set whose rows are all unlabelled takes on the other's labels.
    ///
    /// - Throws: `invalidData` where the label orders differ.
    public func concatenated(with other: DataSet) throws(UnderstudyError) -> DataSet {
        guard labels == other.labels || labels.isEmpty || other.labels.isEmpty else {
            throw UnderstudyError(
                .invalidData,
                "sets with different labels can't be joined: \(labels.joined(separator: ", ")) and "
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

    /// The rows whose text doesn't stand in `other`.
    public func excluding(textsOf other: DataSet) -> DataSet {
        let excluded = Set(other.textHashes)
        return rows((0..<count).filter { !excluded.contains(textHashes[$0]) })
    }

    /// The first row of each text.
    public func withoutDuplicates() -> DataSet {
        var seen = Set<UInt64>()
        return rows((0..<count).filter { seen.insert(textHashes[$0]).inserted })
    }

    /// The rows in an order that depends on the seed alone.
    public func shuffled(seed: UInt64) -> DataSet {
        var generator = SeededGenerator(seed: seed)
        return rows(generator.permutation(count))
    }

    /// The rows whose label is known.
    public func labelled() -> DataSet {
        rows((0..<count).filter { labelIndices[$0] >= 0 })
    }

    /// All rows, their labels forgotten.
    public func withoutLabels() -> DataSet {
        DataSet(
            labels: labels, lines: lines, labelIndices: Array(repeating: Self.unknownLabel, count: count), ids: givenIDs
        )
    }
}
