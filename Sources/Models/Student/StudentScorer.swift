import CKernels
import Diagnostics
import Tensors
import Text

/// One thread's fast path of a student: lines are sorted by length and run in lockstep blocks without padding.
public final class StudentScorer: LineScorer {
    private let student: Student
    private let features: StudentFeatures
    private let scratch = TokenizerScratch()
    private let block: LockstepBlock
    private let dense: Matrix
    private let logits: Matrix
    private let exit: ExitClassifier?
    private let shortcut: NGramTable?
    private var batch = StudentBatch()
    /// Positions in the caller's batch of the lines that didn't exit, and the logits of those lines.
    private var rest: [Int32] = []
    private var restLogits = AlignedBuffer<Float>(zeros: 0)
    private var buckets: [Int32] = []
    private var plan = LengthOrder()

    init(_ student: Student, _ fast: FastRecurrence) {
        self.student = student
        features = student.features
        shortcut =
            student.configuration.shortcutBuckets > 0 ? NGramTable(rows: student.weights.shortcut) : nil
        exit = student.configuration.earlyExit.map {
            ExitClassifier(
                table: NGramTable(rows: student.weights.exit), bias: student.weights.f32.exitBias, exit: $0,
                temperature: student.temperature)
        }
        block = LockstepBlock(student.configuration, fast)
        dense = Matrix(rows: LockstepBlock.capacity, columns: student.configuration.denseSize)
        logits = Matrix(rows: LockstepBlock.capacity, columns: student.configuration.labels.count)
    }

    public var tokenCounts: (all: Int, unknown: Int) {
        guard let unknown = student.features.unknownToken else { return (batch.tokens.ids.count, 0) }
        return (batch.tokens.ids.count, batch.tokens.ids.count { $0 == unknown })
    }

    public func score(
        _ lines: LineBatch, into logits: UnsafeMutableBufferPointer<Float>, deadline: UInt64? = nil
    ) {
        batch.removeAll()
        guard let exit, let out = logits.baseAddress else {
            lines.forEachLine { _, line in features.append(line, to: &batch, scratch: scratch) }
            score(batch, into: logits)
            return
        }
        let labels = student.labels.count
        precondition(logits.count >= lines.count * labels, "no room for the logits")
        rest.removeAll(keepingCapacity: true)
        lines.forEachLine { index, line in
            buckets.removeAll(keepingCapacity: true)
            features.appendBuckets(line, to: &buckets)
            let isSure = buckets.withUnsafeBufferPointer { ids in
                ids.baseAddress.map { exit.score($0, count: ids.count, into: out + index * labels) } ?? false
            }
            if isSure { return }
            rest.append(Int32(index))
            features.appendTokens(line, to: &batch, scratch: scratch)
            batch.buckets.append(ids: buckets)
        }
        if restLogits.count < rest.count * labels { restLogits = AlignedBuffer(zeros: rest.count * labels) }
        score(batch, into: UnsafeMutableBufferPointer(start: restLogits.pointer, count: rest.count * labels))
        for (place, line) in rest.enumerated() {
            (out + Int(line) * labels).update(from: restLogits.pointer + place * labels, count: labels)
        }
    }

    /// The logits of biLSTM and shortcut for lines that are already tokenised.
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
        let weights = student.weights.f32
        let (denseBias, classifierBias) = (weights.denseBias, weights.classifierBias)
        let labels = student.labels.count
        let size = student.configuration.denseSize
        let pooledSize = student.configuration.pooledSize
        for row in 0..<lines.count {
            dense.row(row).update(from: denseBias.pointer, count: size)
            logits.row(row).update(from: classifierBias.pointer, count: labels)
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
            if let shortcut {
                let first = Int(batch.buckets.offsets[Int(line)])
                let end = Int(batch.buckets.offsets[Int(line) + 1])
                batch.buckets.ids.withUnsafeBufferPointer { ids in
                    if let ids = ids.baseAddress { shortcut.add(ids + first, count: end - first, to: values) }
                }
            }
            guard let out = output.baseAddress else { continue }
            (out + Int(line) * labels).update(from: values, count: labels)
        }
    }
}
