import ArgumentParser
import Diagnostics
import Distillation
import Glibc
import Models
import Tensors
import Text

/// `distill`: trains a student, with or without teachers.
struct DistillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "distill",
        abstract: "Trains a student from teachers' answers and labels.",
        discussion: """
            The student learns λ · cross-entropy with the label + (1 − λ) · the distance to the teacher's logits. The \
            teacher's logits are computed once for each line and kept beside the student's directory, in \
            teacher-logits/. After Ctrl-C the best epoch so far is kept; before the first was measured nothing is written, \
            and the exit status is 75. A second Ctrl-C ends at once.
            """)

    @Option(help: ArgumentHelp("A teacher's directory; give several to learn their mean.", valueName: "directory"))
    var teacher: [String] = []

    @Flag(name: .customLong("no-teacher"), help: "Learn from the labels alone.")
    var withoutTeacher = false

    @Option(help: ArgumentHelp("Labelled lines: JSON Lines of {\"text\":…,\"label\":…}.", valueName: "F.jsonl"))
    var train: String

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Unlabelled lines for the teacher to label.", valueName: "F.jsonl"))
    var unlabeled: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Texts excluded from training, such as those of a test set.", valueName: "F.jsonl"))
    var exclude: [String] = []

    @Option(
        help: ArgumentHelp(
            "Student whose weights, shape and tokenizer are the starting point, instead of new ones.",
            valueName: "directory"))
    var start: String?

    @Option(
        help: ArgumentHelp(
            "Validation lines for choosing the epoch; without it, a tenth of --train.", valueName: "F.jsonl"))
    var validation: String?

    @Option(help: ArgumentHelp("The student's directory; replaced if it holds a model.", valueName: "directory"))
    var out: String

    @Option(
        help: ArgumentHelp(
            "Version name of the student in answers; without it, the directory's name.", valueName: "name"))
    var name: String?

    @OptionGroup(title: "Loss and training") var training: DistillTrainingOptions
    @OptionGroup(title: "The student") var shape: DistillStudentOptions
    @OptionGroup(title: "The model card") var cardOptions: CardOptions

    func validate() throws {
        guard withoutTeacher != !teacher.isEmpty else {
            throw ValidationError("give at least one --teacher, or --no-teacher")
        }
    }

    func run() throws {
        try reporting(Interruption.begin)
        try reporting(distill)
    }

    private func distill() throws(UnderstudyError) {
        let progress = ProgressMeter.standardError()
        try ModelDirectory.checkTarget(out, replacing: true)
        var recipe = StudentRecipe()
        try training.apply(to: &recipe, isAlone: withoutTeacher)
        try shape.apply(to: &recipe)
        recipe.version = name ?? lastPart(of: out)
        let beginning = try beginning(&recipe)

        var members: [TeacherPanel.Member] = []
        for directory in teacher {
            let loaded = try ModelLoader.teacher(directory: directory)
            members.append(.init(teacher: loaded.teacher, fingerprint: try Fingerprint.of(model: directory)))
        }
        // With initial weights no embeddings of a teacher are needed.
        let source = try (beginning == nil ? shape.embeddingTeacher ?? teacher.first : nil).map {
            (directory) throws(UnderstudyError) in try EmbeddingSource.load(directory: directory)
        }
        let labels = members.first?.teacher.labels ?? beginning?.start.configuration.labels
        var material = try material(
            labels: labels, tokenizer: source?.tokenizer, own: beginning?.tokenizer, recipe: &recipe)
        material.source = source
        material.start = beginning?.start
        if !members.isEmpty {
            let directory = parent(of: out) + "/teacher-logits"
            guard mkdir(directory, 0o755) == 0 || errno == EEXIST else {
                throw UnderstudyError(
                    .cannotCreate, "the directory can't be created: \(String(cString: strerror(errno)))", at: directory)
            }
            material.panel = try TeacherPanel(members, directory: directory, threads: recipe.training.threads)
        }
        let result = try StudentDistiller(recipe, progress: progress, shouldStop: { Interruption.wasAsked })
            .run(material)
        try publish(result, material, recipe)
        if result.metrics.wasInterrupted {
            Interruption.report(kept: result.metrics.bestEpoch, of: result.metrics.losses.count)
        }
        let calibration = result.metrics.calibration
        print(
            "\(out): validation accuracy \(NumberText.percent(calibration.studentAccuracy))"
                + (calibration.teacherAccuracy.map { ", its teacher \(NumberText.percent($0))" } ?? ""))
    }

    /// Loads the student that `--start` names. The recipe takes its shape.
    private func beginning(
        _ recipe: inout StudentRecipe
    ) throws(UnderstudyError) -> (start: StudentDistiller.Start, tokenizer: LoadedTokenizer)? {
        guard let start else { return nil }
        try ModelDirectory.check(start)
        let configuration = try StudentConfiguration(
            ModelConfiguration(path: "\(start)/\(ModelDirectory.configuration)"))
        recipe.takeShape(of: configuration)
        let weights = try StudentFiles.weights(directory: start, configuration)
        return (
            StudentDistiller.Start(configuration: configuration, weights: weights),
            try TokenizerFiles.load(directory: start)
        )
    }

    private func material(
        labels: [String]?, tokenizer: LoadedTokenizer?, own: LoadedTokenizer?, recipe: inout StudentRecipe
    ) throws(UnderstudyError) -> StudentDistiller.Material {
        let all = try DataSet.read(path: train, labels: labels)
        guard all.labels.count > 1 else {
            throw UnderstudyError(.invalidData, "the lines have fewer than two labels", at: train)
        }
        let parts: (train: DataSet, validation: DataSet)
        if let validation {
            parts = (all, try DataSet.read(path: validation, labels: all.labels))
        } else {
            parts = all.split(validationShare: recipe.validationShare, stratified: true)
        }
        var unlabelled: DataSet?
        for path in unlabeled {
            // Labels in these files are ignored.
            let more = try DataSet.read(path: path).withoutLabels()
            unlabelled =
                try unlabelled.map { (set) throws(UnderstudyError) in try set.concatenated(with: more) } ?? more
        }
        for path in exclude {
            let hidden = try DataSet.read(path: path)
            unlabelled = unlabelled?.excluding(textsOf: hidden)
        }
        let chosen: (tokenizer: LoadedTokenizer, isTeachers: Bool)
        if let own {
            chosen = (own, true)
        } else {
            chosen = try shape.tokenizer(
                teacher: tokenizer, lines: parts.train.lines, maximumTokens: recipe.maximumTokens)
        }
        var material = StudentDistiller.Material(
            train: parts.train, validation: parts.validation, tokenizer: chosen.tokenizer)
        material.unlabelled = unlabelled
        if !chosen.isTeachers, recipe.embeddings == .context || recipe.embeddings == .matrix {
            guard shape.embeddings == nil else {
                throw UnderstudyError(
                    .usage, "embeddings from a teacher need its tokenizer; omit --tokenizer or --embeddings")
            }
            recipe.embeddings = .random
        }
        return material
    }

    private func publish(
        _ result: StudentDistiller.Result, _ material: StudentDistiller.Material, _ recipe: StudentRecipe
    ) throws(UnderstudyError) {
        var configuration = result.configuration
        configuration.dataFingerprint = try Fingerprint.of(files: [train] + unlabeled)
        var card = DistillCard.make(
            configuration, result.metrics, recipe: recipe, train: train, unlabeled: unlabeled, teachers: teacher)
        cardOptions.apply(to: &card)
        try ModelDirectory.publish(to: out, replacing: true) { [card] (directory) throws(UnderstudyError) in
            try StudentFiles.write(configuration, result.weights, tokenizer: material.tokenizer, to: directory)
            try ModelDirectory.write(result.metrics.json, to: ModelDirectory.metrics, in: directory)
            try ModelDirectory.write(card.markdown, to: ModelDirectory.card, in: directory)
        }
    }

    private func lastPart(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? "student"
    }

    private func parent(of path: String) -> String {
        var parts = path.split(separator: "/", omittingEmptySubsequences: true)
        _ = parts.popLast()
        let joined = parts.joined(separator: "/")
        return path.hasPrefix("/") ? "/" + joined : joined.isEmpty ? "." : joined
    }
}

/// The model card of a distilled student.
enum DistillCard {
    static func make(
        _ configuration: StudentConfiguration, _ metrics: StudentMetrics, recipe: StudentRecipe, train: String,
        unlabeled: [String], teachers: [String]
    ) -> ModelCard {
        let alone = teachers.isEmpty
        var card = ModelCard(
            title: configuration.version,
            summary: alone
                ? "A biLSTM text classifier, trained on labels alone."
                : "A biLSTM text classifier, distilled from a BERT teacher.", license: nil)
        card.labels = configuration.labels
        card.tags = ["text-classification", "bilstm"] + (alone ? [] : ["distillation"])
        card.data = [
            .init(name(train), "\(NumberText.grouped(metrics.trainLines)) labelled lines to learn from"),
            .init("all lines learnt from", NumberText.grouped(metrics.transferLines)),
        ]
        for path in unlabeled { card.data.append(.init(name(path), "unlabelled lines, judged by the teacher")) }
        let training = recipe.training
        card.recipe = [
            .init("teachers", alone ? "none" : teachers.map(name).joined(separator: ", ")),
            .init("input", "\(configuration.input.rawValue), \(configuration.vocabularySize) tokens"),
            .init("embedding, hidden, dense", "\(recipe.embeddingSize), \(recipe.hiddenSize), \(recipe.denseSize)"),
            .init("pooling", recipe.pooling.map(\.rawValue).joined(separator: ", ")),
            .init("shortcut buckets", String(configuration.shortcutBuckets)),
            .init(
                "early exit",
                configuration.earlyExit.map { "by n-grams alone from a confidence of \($0.threshold)" } ?? "none"),
            .init("embeddings from", embeddings(recipe)),
            .init(
                "loss",
                "\(training.loss.kind.rawValue), λ = \(training.loss.labelShare), T = \(training.loss.temperature)"),
            .init(
                "optimiser",
                "\(training.optimizer.kind.rawValue), rate \(training.optimizer.learningRate), "
                    + "\(training.optimizer.schedule.rawValue), batch \(training.batch)"),
            .init("epochs", "\(training.epochs), best \(metrics.bestEpoch)"),
            .init(
                "dropout of embedding, pooled, shortcut, tokens",
                "\(training.dropout.embedding), \(training.dropout.pooled), \(training.dropout.shortcut), "
                    + "\(training.tokenDropout)"),
            .init("augmented lines", String(recipe.augmentedLines)),
            .init("parameters", NumberText.grouped(metrics.parameters)),
        ]
        card.seed = training.seed
        card.results = [metrics.table]
        return card
    }

    private static func embeddings(_ recipe: StudentRecipe) -> String {
        switch recipe.embeddings {
        case .random: "random"
        case .context: "the teacher's mean hidden states, PCA"
        case .matrix: "the teacher's input embeddings, PCA"
        case .vectors(let path): name(path)
        }
    }

    private static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
}
