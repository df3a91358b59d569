import Bytes
import Diagnostics

/// A model directory's README.md: Markdown with YAML front matter for Hugging Face.
///
/// Source of the keys: huggingface.co/docs/hub/model-cards, "Model card metadata".
public struct ModelCard: Sendable, Equatable {
    /// A row of a two-column table.
    public struct Fact: Sendable, Equatable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A table of results; the first column is left-aligned, the others right-aligned. Every row has as many cells as
    /// `columns`.
    public struct Table: Sendable, Equatable {
        public var title: String
        public var columns: [String]
        public var rows: [[String]]

        public init(title: String, columns: [String], rows: [[String]]) {
            precondition(rows.allSatisfy { $0.count == columns.count }, "rows don't fit the columns of \(title)")
            self.title = title
            self.columns = columns
            self.rows = rows
        }
    }

    public var title: String
    /// One paragraph: the model's purpose and its intended users.
    public var summary: String
    /// An SPDX identifier in lower case, e.g. `mit`; if nil, the card says that the licence is unknown.
    public var license: String?
    /// The source of the licence and its requirements.
    public var licenseNote: String?
    /// ISO 639 codes.
    public var languages: [String] = []
    public var tags: [String] = []
    /// A Hugging Face id or a name; nil for a model trained from scratch.
    public var baseModel: String?
    public var labels: [String] = []
    /// The training, validation and test data: one fact per data file, with counts and fingerprints.
    public var data: [Fact] = []
    /// Everything that another run needs to reproduce the model, except the seed.
    public var recipe: [Fact] = []
    public var seed: UInt64?
    public var results: [Table] = []
    /// Uses that it isn't suited for, one sentence each.
    public var limitations: [String] = []

    public init(title: String, summary: String, license: String?) {
        self.title = title
        self.summary = summary
        self.license = license
    }

    /// The whole file.
    public var markdown: String {
        var sections = [frontMatter, "# \(Self.inline(title))", Self.inline(summary)]
        if !labels.isEmpty {
            sections.append("Labels, in the order of the logits: \(labels.map(Self.inline).joined(separator: ", ")).")
        }
        if let baseModel { sections.append("Made from: \(Self.inline(baseModel)).") }
        if !data.isEmpty { sections += ["## Data", Self.table(["data", "what"], data)] }
        if !recipe.isEmpty || seed != nil {
            let facts = recipe + (seed.map { [Fact("seed", String($0))] } ?? [])
            sections += ["## Recipe", Self.table(["option", "value"], facts)]
        }
        if !results.isEmpty {
            sections.append("## Results")
            for table in results { sections += ["### \(Self.inline(table.title))", Self.table(table)] }
        }
        if !limitations.isEmpty {
            sections += ["## Limitations", limitations.map { "- \(Self.inline($0))" }.joined(separator: "\n")]
        }
        let licence = license.map { "`\($0)`" } ?? "Not stated by those who trained the model."
        sections += [
            "## Licence", [licence, licenseNote.map(Self.inline)].compactMap { $0 }.joined(separator: "\n\n"),
        ]
        return sections.joined(separator: "\n\n") + "\n"
    }

    private var frontMatter: String {
        var lines = ["---", "library_name: understudy", "pipeline_tag: text-classification"]
        lines.append("license: \(Self.yaml(license ?? "unknown"))")
        func list(_ key: String, _ values: [String]) {
            guard !values.isEmpty else { return }
            lines.append("\(key):")
            lines += values.map { "- \(Self.yaml($0))" }
        }
        list("language", languages)
        list("tags", tags)
        if let baseModel { lines.append("base_model: \(Self.yaml(baseModel))") }
        return (lines + ["---"]).joined(separator: "\n")
    }

    /// Always quoted: unquoted `no` is false in YAML 1.1, and unquoted `1.0` a number. A JSON string is a valid YAML
    /// string.
    private static func yaml(_ text: String) -> String { Quoting.json(text) }

    /// Escapes text so that it stays on its line and starts no table cell, tag or entity.
    private static func inline(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "|": out += "\\|"
            case "<": out += "&lt;"
            case "&": out += "&amp;"
            case _ where character.isNewline: out += " "
            default: out.append(character)
            }
        }
        return out
    }

    private static func table(_ columns: [String], _ facts: [Fact]) -> String {
        let header = row(columns) + "\n|---|---|"
        return ([header] + facts.map { row([$0.name, $0.value]) }).joined(separator: "\n")
    }

    private static func table(_ table: Table) -> String {
        let rule = "|---|" + table.columns.dropFirst().map { _ in "---:|" }.joined()
        return ([row(table.columns), rule] + table.rows.map(row)).joined(separator: "\n")
    }

    private static func row(_ cells: [String]) -> String { "| " + cells.map(inline).joined(separator: " | ") + " |" }
}
