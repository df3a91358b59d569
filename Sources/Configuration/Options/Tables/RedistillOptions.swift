/// `redistill:` and `redistill.gate:`
enum RedistillOptions {
    static let train = YAMLOption(
        required: "train", .path, example: "/var/lib/understudy/base/train.jsonl",
        "The base transfer set, JSON Lines; part of it is replayed so that nothing is forgotten.")
    static let holdout = YAMLOption(
        required: "holdout", .path, example: "/var/lib/understudy/base/holdout.jsonl",
        "The frozen labelled lines that the gate measures on, JSON Lines.")
    static let minimumNewRows = DefaultedOption(
        "minimum_new_rows", .count(1...1_000_000_000), default: 500,
        "Rows that must be new in the log before a run is worth its time.")
    static let maximumAccuracyLoss = DefaultedOption(
        "maximum_accuracy_loss", .share, default: 0.002,
        "Accuracy on the holdout that a new student may lose, as a share: two lines in a thousand are within the noise "
            + "of a holdout.")
    static let confidence = DefaultedOption(
        "confidence", .number(0.5...0.9999), default: 0.95,
        "Confidence of the paired bootstrap, as a share: the customary one.")

    static let gate = OptionBlock(
        "gate", options: [maximumAccuracyLoss.facts, confidence.facts], "What a new student must pass to be let in.")
    static let block = OptionBlock(
        "redistill", absence: .means("the student stays as it is"),
        options: [train.facts, holdout.facts, minimumNewRows.facts], blocks: [gate],
        "How a new student is made from the disagreement log.")
}
