import Diagnostics
import Models
import Tensors
import Text

/// Makes a student from labelled lines, unlabelled lines and teachers, according to a recipe.
public struct StudentDistiller {
    /// The training material.
    public struct Material {
        public var train: DataSet
        /// Lines without labels, for the teacher to score.
        public var unlabelled: DataSet?
        /// Labelled lines that determine the epoch, temperature and threshold.
        public var validation: DataSet
        public var panel: TeacherPanel?
        public var tokenizer: LoadedTokenizer
        /// For embeddings computed from a teacher.
        public var source: EmbeddingSource?
        /// Initial weights instead of random ones. The recipe must have the shape of their student.
        public var start: Start?
        /// Known logits of the panel, by the text's hash.
        public var knownLogits: [UInt64: [Float]] = [:]
        /// Hashes of texts whose label takes precedence over the panel: if the panel disagrees, its logits are not
        /// used.
        public var trusted: Set<UInt64> = []

        public init(train: DataSet, validation: DataSet, tokenizer: LoadedTokenizer) {
            self.train = train
            self.validation = validation
            self.tokenizer = tokenizer
        }
    }

    /// A student to start from.
    public struct Start {
        public var configuration: StudentConfiguration
        public var weights: StudentWeights

        public init(configuration: StudentConfiguration, weights: StudentWeights) {
            self.configuration = configuration
            self.weights = weights
        }
    }

    public struct Result {
        public var configuration: StudentConfiguration
        public var weights: StudentWeights
        public var metrics: StudentMetrics
    }

    public let recipe: StudentRecipe
    let progress: ProgressMeter
    let shouldStop: () -> Bool

    public init(_ recipe: StudentRecipe, progress: ProgressMeter, shouldStop: @escaping () -> Bool = { false }) {
        self.recipe = recipe
        self.progress = progress
        self.shouldStop = shouldStop
    }

    /// When stopped, it keeps the best measured epoch; the steps after training are short and run to their end.
    ///
    /// - Throws: `invalidData` if the loss diverges or labels are missing, `tryAgain` when stopped before an epoch was
    ///   measured.
    public func run(_ material: Material) throws(UnderstudyError) -> Result {
        let labels = material.train.labels
        guard material.validation.labelledCount > 0 else {
            throw UnderstudyError(.invalidData, "there are no labelled validation lines; name a file or add lines")
        }
        var configuration = recipe.configuration(
            vocabularySize: material.tokenizer.vocabularySize, labels: labels)
        try configuration.check()
        if let start = material.start { try check(start, configuration) }
        configuration.parent = material.start?.configuration.version
        let (lines, madeLines) = try transferLines(material)
        let teacherLogits = try material.panel?.logits(
            of: lines, known: material.knownLogits, progress: progress, shouldStop: shouldStop)
        if let teacherLogits { outrank(teacherLogits, lines, material.trusted) }
        let validationLogits = try material.panel?.logits(
            of: material.validation, known: material.knownLogits, progress: progress, shouldStop: shouldStop)
        try continueUnlessStopped("before the lines were encoded")
        let features = StudentFiles.features(configuration, material.tokenizer)
        let corpus = EncodedCorpus(lines.lines, with: features)
        let validation = EncodedCorpus(material.validation.lines, with: features)

        let weights = StudentWeights(zeros: configuration)
        var generator = SeededGenerator(seed: recipe.training.seed, stream: 0)
        weights.randomize(
            configuration, using: &generator, embeddingDeviation: recipe.embeddingDeviation, lstm: recipe.lstm)
        if let start = material.start {
            weights.copyValues(from: start.weights)
        } else {
            // Augmented lines have unnatural contexts and would only cost time here.
            let natural = lines.rows(Array(0..<(lines.count - madeLines)))
            try initialise(weights.embedding, material, natural)
        }

        var options = recipe.training
        options.unknownToken = material.tokenizer.specialTokens.unknown ?? 0
        let trainer = StudentTrainer(configuration, weights: weights, options: options)
        let targets = TrainingTargets(labels: lines.labelIndices, logits: teacherLogits)
        var outcome = try train(trainer, corpus, targets, validation, material.validation.labelIndices).get()

        // All following measurements use the best epoch's weights in their stored precision.
        weights.copyValues(from: outcome.weights)
        weights.round(to: configuration.precision)
        var logits = trainer.logits(validation).storage.array
        var finished = weights
        if let exit = exit(configuration, material, corpus, targets, validation, logits) {
            configuration.earlyExit = exit.threshold.exit
            logits = exit.threshold.logits
            finished = StudentWeights(weights, exit: exit.weights.table, exitBias: exit.weights.bias)
        }
        outcome.wasInterrupted = outcome.wasInterrupted || shouldStop()
        let calibration = StudentCalibration.fit(
            logits: logits, teacherLogits: validationLogits?.storage.array,
            labels: material.validation.labelIndices, labelCount: labels.count,
            description: "\(material.validation.count) validation lines")
        configuration.calibration = calibration.calibration
        let metrics = StudentMetrics(
            outcome: outcome, calibration: calibration, trainLines: material.train.count, transferLines: lines.count,
            parameters: finished.parameterCount)
        return Result(configuration: configuration, weights: finished, metrics: metrics)
    }

    private func continueUnlessStopped(_ place: String) throws(UnderstudyError) {
        if shouldStop() { throw .trainingStopped(place) }
    }

    /// Training lines, unlabelled lines and augmented ones, without any text of the validation set. The augmented lines
    /// come last; `made` is their number.
    private func transferLines(_ material: Material) throws(UnderstudyError) -> (lines: DataSet, made: Int) {
        var lines = material.train.excluding(textsOf: material.validation)
        guard lines.labelledCount > 0 || material.panel != nil else {
            throw UnderstudyError(
                .invalidData, "no labelled line is left for training: all of them are in the validation set")
        }
        // Without a teacher, a line without a label has no target.
        guard material.panel != nil else { return (lines.labelled(), 0) }
        if let unlabelled = material.unlabelled {
            let more = unlabelled.withoutLabels().withoutDuplicates().excluding(textsOf: lines)
                .excluding(textsOf: material.validation)
            lines = try lines.concatenated(with: more)
        }
        guard recipe.augmentedLines > 0 else { return (lines, 0) }
        var augmentation = recipe.augmentation
        if let mask = material.tokenizer.specialTokens.mask { augmentation.mask = material.tokenizer.pieces[mask] }
        let made = augmentation.generate(recipe.augmentedLines, from: lines.lines, seed: recipe.training.seed)
        let unknown = [Int32](repeating: DataSet.unknownLabel, count: made.count)
        let additional = DataSet(labels: lines.labels, lines: made, labelIndices: unknown)
            .excluding(textsOf: material.validation).excluding(textsOf: lines)
        return (try lines.concatenated(with: additional), additional.count)
    }

    private func initialise(
        _ embedding: Matrix, _ material: Material, _ lines: DataSet
    ) throws(UnderstudyError) {
        switch recipe.embeddings {
        case .random: return
        case .vectors(let path):
            let vectors = try WordVectors(
                path: path, wanted: material.tokenizer.pieces.entries, expectedDimensions: embedding.columns)
            progress.note("\(vectors.foundCount) of \(embedding.rows) tokens have a vector in \(path)")
            EmbeddingScale.copy(
                vectors.matrix, where: vectors.isFound, to: embedding, deviation: recipe.embeddingDeviation)
        case .context, .matrix:
            guard let source = material.source else {
                throw UnderstudyError(
                    .usage, "these embeddings are computed from a teacher, but there is none; use --embeddings random")
            }
            try source.write(
                to: embedding, recipe.embeddings, lines: lines.lines, layer: recipe.contextLayer,
                deviation: recipe.embeddingDeviation, threads: recipe.training.threads, progress: progress,
                shouldStop: shouldStop)
        }
    }

    private func train(
        _ trainer: StudentTrainer, _ corpus: EncodedCorpus, _ targets: TrainingTargets, _ validation: EncodedCorpus,
        _ labels: [Int32]
    ) throws(UnderstudyError) -> TrainingOutcome<StudentTrainer.Outcome> {
        var epoch = 0
        var done = 0
        let outcome = try trainer.train(
            corpus, targets, validation: (validation, labels), shouldStop: shouldStop
        ) { report in
            if report.epoch != epoch {
                epoch = report.epoch
                done = 0
                progress.begin("epoch \(report.epoch)/\(report.epochs)", total: report.totalLines)
            }
            progress.advance(by: report.lines - done, loss: report.loss, accuracy: report.accuracy)
            done = report.lines
            if let accuracy = report.validationAccuracy {
                progress.end()
                progress.note("epoch \(report.epoch): validation accuracy \(NumberText.percent(accuracy))")
            }
        }
        progress.end()
        return outcome
    }
}

/// The initial weights of a student, and the precedence of its targets.
extension StudentDistiller {
    /// Errors: `invalidData` if a student of `configuration` can't start from these weights.
    func check(_ start: Start, _ configuration: StudentConfiguration) throws(UnderstudyError) {
        let given = start.configuration
        guard given.labels == configuration.labels else {
            throw UnderstudyError(
                .invalidData,
                "the initial student, \(given.version), has other labels than the lines, or another order of them")
        }
        guard given.vocabularySize == configuration.vocabularySize, given.embeddingSize == configuration.embeddingSize,
            given.hiddenSize == configuration.hiddenSize, given.denseSize == configuration.denseSize,
            given.pooling == configuration.pooling, given.shortcutBuckets == configuration.shortcutBuckets,
            given.input == configuration.input
        else {
            throw UnderstudyError(
                .invalidData, "the initial student, \(given.version), has another shape than the new one")
        }
    }

    /// Removes the panel's logits of lines whose trusted label differs from the panel's.
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

/// The student's early exit.
extension StudentDistiller {
    /// Distils the early exit for a student whose validation logits are `logits`; nil if the recipe has none, if no
    /// threshold keeps the student's accuracy, or if training is stopped before the exit is finished.
    func exit(
        _ configuration: StudentConfiguration, _ material: Material, _ corpus: EncodedCorpus,
        _ targets: TrainingTargets, _ validation: EncodedCorpus, _ logits: [Float]
    ) -> (weights: ExitTrainer.Weights, threshold: ExitThreshold)? {
        guard recipe.earlyExit, configuration.shortcutBuckets > 0 else { return nil }
        let labels = configuration.labels.count
        let start = material.start.flatMap { start in
            start.weights.exit.rows > 0
                ? ExitTrainer.Weights(table: start.weights.exit, bias: start.weights.exitBias) : nil
        }
        let trained = ExitTrainer(loss: recipe.training.loss, seed: recipe.training.seed).train(
            corpus, targets, buckets: configuration.shortcutBuckets, labels: labels, start: start,
            shouldStop: shouldStop)
        guard case .learnt(let weights) = trained else {
            progress.note("early exit: omitted, since training was stopped early")
            return nil
        }
        StudentWeights.round(weights.table, to: configuration.precision)
        let truth = material.validation.labelIndices
        let own = ExitTrainer.logits(validation, weights)
        guard let found = ExitThreshold.fit(exit: own, student: logits, labels: truth, labelCount: labels) else {
            progress.note("early exit: omitted, since it would reduce accuracy")
            return nil
        }
        let known = truth.indices.filter { truth[$0] >= 0 }
        let predictions = Predictions(logits: own, labelCount: labels)
        let right = known.count { predictions.indices[$0] == truth[$0] }
        progress.note(
            "early exit: \(NumberText.percent(found.share)) of the validation lines at a confidence of "
                + "\(found.exit.threshold); alone it has "
                + "\(NumberText.percent(Double(right) / Double(known.count))) accuracy")
        return (weights, found)
    }
}
