extension SettingsReader {
    func redistill() -> RedistillSettings? {
        typealias Table = RedistillOptions
        guard let reader = optionalBlock(Table.block) else { return nil }
        let gate = gate(inner(Table.gate, of: reader))
        let rollback = inner(Table.rollback, of: reader)
        let drift = inner(Table.drift, of: reader)
        let train = reader.value(Table.train)
        let holdout = reader.value(Table.holdout)
        guard let train, let holdout else { return nil }
        if PathClaims.normalised(train) == PathClaims.normalised(holdout) {
            context.errors.add(
                "'holdout' is the file that 'train' names; a student would be tested on what it learnt",
                at: reader.span(of: Table.holdout.facts.name))
        }
        return RedistillSettings(
            train: train, holdout: holdout, registry: reader.value(Table.registry),
            reports: reader.value(Table.reports), minimumNewRows: reader.value(Table.minimumNewRows),
            start: reader.value(Table.start), epochs: reader.value(Table.epochs),
            learningRate: reader.value(Table.learningRate), seed: reader.value(Table.seed),
            logRows: reader.value(Table.logRows), replayRows: reader.value(Table.replayRows),
            heldOutShare: reader.value(Table.heldOutShare), threads: reader.value(Table.threads),
            maximumMinutes: reader.value(Table.maximumMinutes),
            maximumMemoryMebibytes: reader.value(Table.maximumMemoryMebibytes),
            keepVersions: reader.value(Table.keepVersions), shadow: reader.value(Table.shadow),
            shadowLines: reader.value(Table.shadowLines), gate: gate,
            rollback: RedistillSettings.Rollback(
                audits: rollback.value(Table.audits), confidence: rollback.value(Table.rollbackConfidence)),
            drift: RedistillSettings.Drift(
                maximumIndex: drift.value(Table.maximumIndex), minimumLines: drift.value(Table.minimumLines),
                startsRun: drift.value(Table.startsRun)))
    }

    private func gate(_ reader: BlockReader) -> RedistillSettings.Gate {
        typealias Table = RedistillOptions
        return RedistillSettings.Gate(
            maximumAccuracyLoss: reader.value(Table.maximumAccuracyLoss),
            maximumPossibleLoss: reader.value(Table.maximumPossibleLoss), confidence: reader.value(Table.confidence),
            maximumRecallLoss: reader.value(Table.maximumRecallLoss),
            maximumCalibrationError: reader.value(Table.maximumCalibrationError),
            maximumLoadGrowth: reader.value(Table.maximumLoadGrowth),
            loadAllowance: reader.value(Table.loadAllowance),
            maximumSlowdown: reader.value(Table.maximumSlowdown), maximumGrowth: reader.value(Table.maximumGrowth),
            minimumHoldoutRows: reader.value(Table.minimumHoldoutRows),
            minimumClassRows: reader.value(Table.minimumClassRows),
            maximumOverlap: reader.value(Table.maximumOverlap))
    }

    /// A block inside another whose options all have defaults.
    private func inner(_ block: OptionBlock, of reader: BlockReader) -> BlockReader {
        reader.node(block.name).flatMap { BlockReader($0, as: block, context: context) }
            ?? BlockReader(absent: block, at: reader.span, context: context)
    }
}
