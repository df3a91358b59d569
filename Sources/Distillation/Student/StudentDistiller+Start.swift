import Diagnostics
import Models
import Tensors

/// What a student begins with, and whom it believes.
extension StudentDistiller {
    /// Errors: `invalidData` where a student of `configuration` can't begin with these weights.
    func check(_ start: Start, _ configuration: StudentConfiguration) throws(UnderstudyError) {
        let given = start.configuration
        guard given.labels == configuration.labels else {
            throw UnderstudyError(
                .invalidData,
                "the student to begin with, \(given.version), has other labels or another order of them than the lines")
        }
        guard given.vocabularySize == configuration.vocabularySize, given.embeddingSize == configuration.embeddingSize,
            given.hiddenSize == configuration.hiddenSize, given.denseSize == configuration.denseSize,
            given.pooling == configuration.pooling, given.shortcutBuckets == configuration.shortcutBuckets,
            given.input == configuration.input
        else {
            throw UnderstudyError(
                .invalidData, "the student to begin with, \(given.version), has another shape than the one to be made")
        }
    }

    /// Takes the panel's logits away from lines whose own label is to be trusted and is another one.
    func outrank(_ logits: Matrix, _ lines: DataSet, _ trusted: Set<UInt64>) {
        guard !trusted.isEmpty else { return }
        for (line, label) in lines.labelIndices.enumerated()
        where label >= 0 && trusted.contains(lines.textHashes[line]) {
            let row = logits.row(line)
            let best = TrainingShard.argmax(UnsafePointer(row), logits.columns)
            if best != Int(label) { row[0] = .nan }
        }
    }
}
