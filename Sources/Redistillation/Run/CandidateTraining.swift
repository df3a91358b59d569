import Configuration
import Diagnostics
import Distillation
import Glibc
import Models
import Tensors

/// Trains a candidate, and a second student without a teacher, on the harvest and a replay of the base transfer set.
struct CandidateTraining {
    /// Share of the training lines that is used to select the epoch instead.
    static let validationShare = 0.1
    /// Minimum number of labelled lines to train the student without a teacher.
    static let fewestLabels = 50

    let request: RunRequest
    let materials: RunMaterials
    let harvest: Harvest.Outcome
    let replay: DataSet
    let seed: UInt64
    let limits: RunLimits
    let progress: ProgressMeter

    /// Labelled and unlabelled lines together.
    var lines: DataSet {
        get throws(UnderstudyError) { try harvest.learnt.concatenated(with: replay) }
    }

    /// Training lines by label, including the replay.
    var perLabel: [Int] {
        var counts = harvest.perLabel
        for label in replay.labelIndices where label >= 0 { counts[Int(label)] += 1 }
        return counts
    }

    /// Trains the candidate on the teacher's logits, and on labels where present.
    func candidate(_ panel: TeacherPanel) throws(UnderstudyError) -> StudentDistiller.Result {
        let (train, validation) = try lines.split(validationShare: Self.validationShare, salt: Self.salt)
        var material = StudentDistiller.Material(
            train: train, validation: try judged(validation, panel), tokenizer: materials.tokenizer)
        material.panel = panel
        material.knownLogits = harvest.known
        material.trusted = harvest.trusted
        return try distil(&material)
    }

    /// Trains the student on labels alone. Returns nil if there are too few labels, or if the time limit is reached
    /// before the first epoch was measured.
    func alone() throws(UnderstudyError) -> StudentDistiller.Result? {
        let labelled = try lines.labelled()
        guard labelled.count >= Self.fewestLabels else { return nil }
        let (train, validation) = labelled.split(validationShare: Self.validationShare, salt: Self.salt)
        guard train.labelledCount > 0, validation.labelledCount > 0 else { return nil }
        var material = StudentDistiller.Material(
            train: train, validation: validation, tokenizer: materials.tokenizer)
        do throws(UnderstudyError) {
            return try distil(&material)
        } catch {
            // The candidate is finished and goes to the gate without the comparison.
            guard error.code == .tryAgain, limits.breach == .outOfTime else { throw error }
            return nil
        }
    }

    private static let salt: UInt64 = 0x6570_6f63_6873

    private func distil(
        _ material: inout StudentDistiller.Material
    ) throws(UnderstudyError) -> StudentDistiller.Result {
        var recipe = Self.recipe(request.redistill, seed: seed)
        recipe.takeShape(of: materials.serving.configuration)
        material.start = StudentDistiller.Start(
            configuration: materials.serving.configuration, weights: try beginning(recipe))
        let limits = limits
        let distiller = StudentDistiller(recipe, progress: progress, shouldStop: { limits.breach != nil })
        let result = try limits.explaining { [material] () throws(UnderstudyError) in try distiller.run(material) }
        // After a time-out, a measured epoch is still judged.
        if result.metrics.wasInterrupted { try limits.checkAllButTime() }
        return result
    }

    /// Returns the serving student's weights. From scratch, only its token vectors are reused, because they come from a
    /// teacher and are not extracted again.
    private func beginning(_ recipe: StudentRecipe) throws(UnderstudyError) -> StudentWeights {
        let configuration = materials.serving.configuration
        let parent = try StudentFiles.weights(directory: materials.servingDirectory, configuration)
        guard request.redistill.start == .scratch else { return parent }
        let fresh = StudentWeights(zeros: configuration)
        var generator = SeededGenerator(seed: seed, stream: 0)
        fresh.randomize(
            configuration, using: &generator, embeddingDeviation: recipe.embeddingDeviation, lstm: recipe.lstm)
        withExtendedLifetime(parent) {
            fresh.embedding.pointer.update(from: parent.embedding.pointer, count: fresh.embedding.count)
        }
        return fresh
    }

    /// Returns the lines with the label that they are judged by: their own, else the teacher's.
    private func judged(_ lines: DataSet, _ panel: TeacherPanel) throws(UnderstudyError) -> DataSet {
        let limits = limits
        let logits = try limits.explaining { () throws(UnderstudyError) in
            try panel.logits(of: lines, known: harvest.known, progress: progress, shouldStop: { limits.breach != nil })
        }
        let predictions = Predictions(logits: logits.storage.array, labelCount: lines.labels.count)
        let labels = lines.labelIndices.enumerated().map { $1 >= 0 ? $1 : predictions.indices[$0] }
        return DataSet(labels: lines.labels, lines: lines.lines, labelIndices: labels)
    }

    static func recipe(_ settings: RedistillSettings, seed: UInt64) -> StudentRecipe {
        var recipe = StudentRecipe()
        recipe.training.seed = seed
        recipe.training.threads = settings.threads
        recipe.training.epochs = settings.epochs
        recipe.training.optimizer.learningRate = Float(settings.learningRate)
        recipe.training.optimizer.shortcutRateFactor = 10
        recipe.training.optimizer.warmup = 0.02
        recipe.training.optimizer.clip = 5
        recipe.training.loss = DistillationLoss(kind: .kl, labelShare: 0.5, temperature: 2)
        recipe.training.dropout.embedding = 0.2
        recipe.training.dropout.pooled = 0.3
        recipe.augmentedLines = 0
        return recipe
    }
}

/// The time and memory limits of a run. The daemon on the same machine must not be slowed down by it.
struct RunLimits: Sendable {
    enum Breach: Sendable, Equatable {
        /// A signal requested the end.
        case interrupted
        case outOfTime
        /// The resident memory, in bytes.
        case outOfMemory(Int)
    }

    private let begun: ContinuousClock.Instant
    private let minutes: Int
    private let mebibytes: Int
    private let wasInterrupted: @Sendable () -> Bool

    init(minutes: Int, mebibytes: Int, wasInterrupted: @escaping @Sendable () -> Bool) {
        // A monotonic clock, because the time of day may jump.
        begun = .now
        self.minutes = minutes
        self.mebibytes = mebibytes
        self.wasInterrupted = wasInterrupted
    }

    var seconds: Double { begun.duration(to: .now) / .seconds(1) }

    /// The exceeded limit; nil if there is none. The check takes a few microseconds.
    var breach: Breach? {
        if wasInterrupted() { return .interrupted }
        if seconds > Double(minutes) * 60 { return .outOfTime }
        let resident = Self.residentBytes
        return resident > mebibytes << 20 ? .outOfMemory(resident) : nil
    }

    /// Throws if a limit is exceeded, for a step that can't be shortened.
    func check() throws(UnderstudyError) {
        if let breach { throw error(breach) }
    }

    /// Throws likewise, but not for the time limit, since there is a candidate.
    func checkAllButTime() throws(UnderstudyError) {
        if let breach, breach != .outOfTime { throw error(breach) }
    }

    /// Runs work that stops on a `breach`, and throws an error that names the breach.
    func explaining<Value>(_ work: () throws(UnderstudyError) -> Value) throws(UnderstudyError) -> Value {
        do throws(UnderstudyError) {
            return try work()
        } catch {
            guard error.code == .tryAgain, let breach else { throw error }
            throw self.error(breach)
        }
    }

    func error(_ breach: Breach) -> UnderstudyError {
        switch breach {
        case .interrupted: UnderstudyError(.tryAgain, "interrupted; the serving student is kept")
        case .outOfTime:
            UnderstudyError(
                .tryAgain,
                "the \(minutes) minutes of redistill.maximum_minutes passed before there was a candidate; raise it, "
                    + "or lower log_rows and replay_rows")
        case .outOfMemory(let bytes):
            UnderstudyError(
                .tryAgain,
                "the run uses \((bytes + (1 << 20) - 1) >> 20) MiB, more than "
                    + "redistill.maximum_memory_mebibytes (\(mebibytes)); raise "
                    + "the limit, or lower log_rows and replay_rows")
        }
    }

    /// Resident memory now, in bytes; 0 if /proc can't be read.
    static var residentBytes: Int {
        guard let file = fopen("/proc/self/statm", "re") else { return 0 }
        defer { fclose(file) }
        var total: CUnsignedLong = 0
        var resident: CUnsignedLong = 0
        let read = withUnsafeMutablePointer(to: &total) { total in
            withUnsafeMutablePointer(to: &resident) { resident in
                withVaList([total, resident]) { vfscanf(file, "%lu %lu", $0) }
            }
        }
        return read == 2 ? Int(resident) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
    }

    /// Peak resident memory, in bytes.
    static var peakBytes: Int {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        return usage.ru_maxrss * 1024
    }
}
