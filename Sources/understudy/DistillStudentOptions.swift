import ArgumentParser
import Diagnostics
import Distillation
import Models
import Text

/// `distill`'s options for the shape of the student.
struct DistillStudentOptions: ParsableArguments {
    @Option(help: "Input of the biLSTM: tokens, or sentence-vector (the mean of a line's token vectors).")
    var input = "tokens"

    @Option(
        help: ArgumentHelp(
            "Tokenizer: teacher (the teacher's), characters (those of --train), or a directory with a tokenizer.",
            valueName: "which"))
    var tokenizer: String?

    @Option(
        help: ArgumentHelp(
            "Initial embeddings: context or matrix (of the first teacher, or context:DIR and matrix:DIR of another "
                + "BERT), random, or a file of word2vec text vectors.", valueName: "what"))
    var embeddings: String?

    @Option(help: "Encoder blocks whose states make the context embeddings; without it, two thirds of them.")
    var contextLayer: Int?

    @Option(help: "Initial standard deviation of the embedding's values.")
    var embeddingDeviation: Float = 0.3

    @Option(help: "Initial weights of the LSTM: glorot (forget gates open) or pytorch (its default).")
    var lstmInitialization = "glorot"

    @Option(help: "Embedding dimensions.")
    var embeddingSize = 128

    @Option(help: "Hidden units of each direction.")
    var hiddenSize = 64

    @Option(help: "Units of the dense layer.")
    var denseSize = 128

    @Option(help: "One or more of last, max, mean, separated by commas.")
    var pooling = "max,mean"

    @Option(help: "The n-gram shortcut has 2^N rows; 0 for no shortcut.")
    var shortcutBits = 18

    @Option(help: "Lines are cut to this many tokens.")
    var maximumTokens = 128

    @Flag(inversion: .prefixedNo, help: "Answer confident lines by their n-grams alone (early exit).")
    var earlyExit = true

    @Option(help: "How weights are stored: f32, f16 or bf16.")
    var precision = "f16"

    func validate() throws {
        for (name, value, range) in [
            ("embedding-size", embeddingSize, 1...4096), ("hidden-size", hiddenSize, 1...4096),
            ("dense-size", denseSize, 1...65536), ("shortcut-bits", shortcutBits, 0...26),
            ("maximum-tokens", maximumTokens, 1...100_000),
        ] where !range.contains(value) {
            throw ValidationError("--\(name) takes a number from \(range.lowerBound) to \(range.upperBound)")
        }
        guard ["f32", "f16", "bf16"].contains(precision) else {
            throw ValidationError("--precision takes one of f32, f16, bf16")
        }
        guard embeddingDeviation > 0, embeddingDeviation.isFinite else {
            throw ValidationError("--embedding-deviation takes a number above 0")
        }
    }

    /// The BERT of `--embeddings context:DIR` or `matrix:DIR`.
    var embeddingTeacher: String? {
        guard let embeddings, let colon = embeddings.firstIndex(of: ":"),
            ["context", "matrix"].contains(embeddings[..<colon])
        else { return nil }
        return String(embeddings[embeddings.index(after: colon)...])
    }

    func apply(to recipe: inout StudentRecipe) throws(UnderstudyError) {
        recipe.input = try DistillTrainingOptions.choice("input", input)
        recipe.lstm = try DistillTrainingOptions.choice("lstm-initialization", lstmInitialization)
        recipe.embeddingSize = embeddingSize
        recipe.hiddenSize = hiddenSize
        recipe.earlyExit = earlyExit
        recipe.denseSize = denseSize
        recipe.pooling = []
        for name in pooling.split(separator: ",") {
            recipe.pooling.append(try DistillTrainingOptions.choice("pooling", String(name)))
        }
        recipe.shortcutBits = shortcutBits
        recipe.maximumTokens = maximumTokens
        recipe.precision = precision
        recipe.contextLayer = contextLayer
        recipe.embeddingDeviation = embeddingDeviation
        switch embeddings?.prefix(while: { $0 != ":" }) {
        case nil, "context": recipe.embeddings = .context
        case "matrix": recipe.embeddings = .matrix
        case "random": recipe.embeddings = .random
        default: recipe.embeddings = .vectors(embeddings ?? "")
        }
    }

    /// Returns the tokenizer of the options, and whether it is the embedding teacher's.
    func tokenizer(
        teacher: LoadedTokenizer?, lines: LineBatch, maximumTokens: Int
    ) throws(UnderstudyError) -> (tokenizer: LoadedTokenizer, isTeachers: Bool) {
        switch tokenizer {
        case nil where teacher != nil, "teacher":
            guard let teacher else {
                throw UnderstudyError(.usage, "there is no teacher whose tokenizer can be used; name another tokenizer")
            }
            return (teacher, true)
        case nil, "characters":
            var counter = CharacterCounter()
            lines.forEachLine { _, line in counter.add(line) }
            return (
                try LoadedTokenizer.characters(
                    try counter.vocabulary(minimumCount: 1), maximumLength: maximumTokens), false
            )
        case .some(let directory): return (try TokenizerFiles.load(directory: directory), false)
        }
    }
}
