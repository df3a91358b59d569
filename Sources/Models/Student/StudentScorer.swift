import CKernels
import Diagnostics
import Tensors
import Text

/// One thread's fast path of a student: lines sorted by length and run in lockstep blocks without padding.
public final class StudentScorer: LineScorer {
    private let student: Student
    private let features: StudentFeatures
    private let scratch = TokenizerScratch()
    private let block: LockstepBlock
    private let dense: Matrix
    private let logits: Matrix
    private var batch = StudentBatch()
    private var plan = LengthOrder()

    init(_ student: Student, _ fast: FastRecurrence) {
        self.student = student
        features = student.features
        block = LockstepBlock(student.configuration, fast)
        dense = Matrix(rows: LockstepBlock.capacity, columns: student.configuration.denseSize)
        logits = Matrix(rows: LockstepBlock.capacity, columns: student.configuration.labels.count)
    }

    public var tokenCounts: (all: Int, unknown: Int) {
        guard let unknown = student.features.unknownToken else { return (batch.tokens.ids.count, 0) }
        return (batch.tokens.ids.count, batch.tokens.ids.count { $0 == unknown })
    }

    public func score(_ lines: LineBatch, into logits: UnsafeMutableBufferPointer<Float>) {
        batch.removeAll()
        lines.forEachLine { _, line in features.append(line, to: &batch, scratch: scratch) }
        score(batch, into: logits)
    }

    /// The same for lines that are tokenised already.
    public func score(_ batch: StudentBatch, into output: UnsafeMutableBufferPointer<Float>) {
        precondition(output.count >= batch.count * student.labels.count, "no room for the logits")
        // Each scorer has its own thread; oneDNN must not start more.
        MatrixProduct.setThreads(1)
        plan.sort(batch.tokens.offsets)
        var first = 0
        while first < batch.count {
            let end = Swift.min(first + LockstepBlock.capacity, batch.count)
            let lines = plan.order[first..<end]
            block.run(lines, of: batch.tokens)
            head(lines, batch, into: output)
            first = end
        }
    }

    private func head(
        _ lines: ArraySlice<Int32>, _ batch: StudentBatch, into output: UnsafeMutableBufferPointer<Float>
    ) {
        let weights = student.weights
        let labels = student.labels.count
        let size = student.configuration.denseSize
        let pooledSize = student.configuration.pooledSize
        for row in 0..<lines.count {
            dense.row(row).update(from: weights.denseBias.pointer, count: size)
            logits.row(row).update(from: weights.classifierBias.pointer, count: labels)
        }
        MatrixProduct.multiply(
            transposeB: true, m: lines.count, n: size, k: pooledSize, block.pooled.pointer, lda: pooledSize,
            weights.dense.pointer, ldb: pooledSize, beta: 1, into: dense.pointer, ldc: size)
        for index in 0..<(lines.count * size) { dense.pointer[index] = Swift.max(dense.pointer[index], 0) }
        MatrixProduct.multiply(
            transposeB: true, m: lines.count, n: labels, k: size, dense.pointer, lda: size,
            weights.classifier.pointer, ldb: size, beta: 1, into: logits.pointer, ldc: labels)
        for (row, line) in lines.enumerated() {
            let values = logits.row(row)
            addShortcut(Int(line), batch, into: values)
            guard let out = output.baseAddress else { continue }
            (out + Int(line) * labels).update(from: values, count: labels)
        }
    }

    private func addShortcut(_ line: Int, _ batch: StudentBatch, into values: UnsafeMutablePointer<Float>) {
        guard student.configuration.shortcutBuckets > 0 else { return }
        let labels = student.labels.count
        let first = Int(batch.buckets.offsets[line])
        let end = Int(batch.buckets.offsets[line + 1])
        let scale = StudentPass.shortcutScale(end - first)
        switch student.weights.shortcut {
        case .half(_, _, let table):
            batch.buckets.ids.withUnsafeBufferPointer { ids in
                guard let ids = ids.baseAddress else { return }
                us_add_rows_f16(Int32(labels), table.pointer, ids + first, Int64(end - first), scale, values)
            }
        case .single(let table):
            for index in first..<end {
                let row = table.row(Int(batch.buckets.ids[index]))
                for label in 0..<labels { values[label] += scale * row[label] }
            }
        case .quantised(let table):
            for index in first..<end {
                let row = Int(batch.buckets.ids[index])
                let factor = scale * table.scales[row]
                let bytes = table.values.pointer + row * labels
                for label in 0..<labels { values[label] += factor * Float(bytes[label]) }
            }
        }
    }
}
