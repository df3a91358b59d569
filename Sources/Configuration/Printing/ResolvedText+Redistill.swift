extension ResolvedText {
    static func write(_ redistill: RedistillSettings?, to text: inout BlockWriter) {
        typealias Table = RedistillOptions
        text.block(Table.block, redistill) { text, redistill in
            text.line(Table.train, redistill.train)
            text.line(Table.holdout, redistill.holdout)
            text.line(Table.registry, redistill.registry)
            text.line(Table.reports, redistill.reports)
            text.line(Table.minimumNewRows, redistill.minimumNewRows)
            text.line(Table.start, redistill.start)
            text.line(Table.epochs, redistill.epochs)
            text.line(Table.learningRate, redistill.learningRate)
            text.line(Table.seed, redistill.seed)
            text.line(Table.logRows, redistill.logRows)
            text.line(Table.replayRows, redistill.replayRows)
            text.line(Table.heldOutShare, redistill.heldOutShare)
            text.line(Table.threads, redistill.threads)
            text.line(Table.maximumMinutes, redistill.maximumMinutes)
            text.line(Table.maximumMemoryMebibytes, redistill.maximumMemoryMebibytes)
            text.line(Table.keepVersions, redistill.keepVersions)
            text.line(Table.shadow, redistill.shadow)
            text.line(Table.shadowLines, redistill.shadowLines)
            text.block(Table.gate, redistill.gate) { write($1, to: &$0) }
            text.block(Table.rollback, redistill.rollback) { text, rollback in
                text.line(Table.audits, rollback.audits)
                text.line(Table.rollbackConfidence, rollback.confidence)
            }
            text.block(Table.drift, redistill.drift) { text, drift in
                text.line(Table.maximumIndex, drift.maximumIndex)
                text.line(Table.minimumLines, drift.minimumLines)
                text.line(Table.startsRun, drift.startsRun)
            }
        }
    }

    private static func write(_ gate: RedistillSettings.Gate, to text: inout BlockWriter) {
        typealias Table = RedistillOptions
        text.line(Table.maximumAccuracyLoss, gate.maximumAccuracyLoss)
        text.line(Table.maximumPossibleLoss, gate.maximumPossibleLoss)
        text.line(Table.confidence, gate.confidence)
        text.line(Table.maximumRecallLoss, gate.maximumRecallLoss)
        text.line(Table.maximumCalibrationError, gate.maximumCalibrationError)
        text.line(Table.maximumLoadGrowth, gate.maximumLoadGrowth)
        text.line(Table.loadAllowance, gate.loadAllowance)
        text.line(Table.maximumSlowdown, gate.maximumSlowdown)
        text.line(Table.maximumGrowth, gate.maximumGrowth)
        text.line(Table.minimumHoldoutRows, gate.minimumHoldoutRows)
        text.line(Table.minimumClassRows, gate.minimumClassRows)
        text.line(Table.maximumOverlap, gate.maximumOverlap)
    }
}
