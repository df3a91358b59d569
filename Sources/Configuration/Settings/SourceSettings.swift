import Streams

/// One source of lines.
public struct SourceSettings: SettingsBlock {
    /// Unique among the sources.
    public var name = ""
    package var kind: any SourceKind = StandardInputKind()
    public var input = InputForm.line
    public var encoding = TextEncoding.utf8
    /// Maximum length of a line in bytes, without the line end. Longer lines are refused.
    public var maximumLineBytes = 65_536
    /// Whether answers keep the order of the lines.
    public var ordered = true

    public init() {}

    package static let block = Block<SourceSettings>("sources", "Where lines are read from.") {
        BlockOption(
            required: "name", .name, at: \.name, example: "wire", reload: .source,
            "Name of the source in answers, logs and metrics. Names are unique.")
        KindChoice(of: SourceKinds.all, example: "fifo", reload: .source) {
            $0.kind
        } set: {
            if let kind = $0 as? any SourceKind { $1.kind = kind }
        }
        BlockOption(
            "input", .choice, at: \.input.word, reload: .source,
            "Format of a line: plain text, a JSON object, or columns separated by tabs.")
        BlockOption(
            "field", .text, at: \.input.jsonField, only: [.option("input", is: "jsonl")], reload: .source,
            "JSON field that holds the text. The other fields are copied to the answer.")
        BlockOption(
            "column", .count(1...65_536), at: \.input.tsvColumn, only: [.option("input", is: "tsv")], reload: .source,
            "Column that holds the text, counted from 1.")
        BlockOption(
            "encoding", .choice, at: \.encoding, reload: .source,
            "Encoding of the lines; answers are always UTF-8. UTF-16 is for directories only: a file's byte order mark "
                + "decides its byte order and is removed; without one, `utf-16` and `utf-16le` are little-endian, as "
                + "Windows writes, and `utf-16be` is big-endian.")
        BlockOption(
            "maximum_line_bytes", .count(1...1_048_575, .bytes), at: \.maximumLineBytes, reload: .source,
            "Maximum length of a line, in bytes of the source's encoding. Longer lines are refused. The default is far "
                + "above any headline or paragraph.")
        BlockOption(
            "ordered", .flag, at: \.ordered, reload: .source,
            "Whether answers keep the order of the lines. With `false`, answers of the student may overtake lines that "
                + "wait for the teacher.")
    }

    package func check(_ reader: BlockReader) {
        let context = reader.context
        if !name.isEmpty {
            context.sources.take(name, at: reader.span(of: "name"), errors: context.errors)
        }
        guard reader.hasKind else { return }
        let type = type(of: kind)
        // A source with a wrong name is still checked.
        let shownName = name.isEmpty ? "?" : name
        kind.claimPaths(reader, owner: "source \(YAMLText.shown(shownName))")
        if let use = type.exclusiveUse {
            context.sources.use(use, by: shownName, at: reader.span(of: "kind"), errors: context.errors)
        }
        if encoding.isUTF16, !type.readsUTF16 {
            let others = SourceKinds.all.filter { $0.readsUTF16 }.map { $0.word }.joined(separator: ", ")
            context.errors.add(
                "'encoding: \(encoding.rawValue)' is only for 'kind: \(others)': a stream has no byte order mark"
                    + " of its own for each writer; convert it to UTF-8 (iconv -f utf-16 -t utf-8)",
                at: reader.span(of: "encoding"))
        }
    }
}

extension SourceSettings {
    /// Equal if every option is.
    public static func == (one: SourceSettings, other: SourceSettings) -> Bool {
        block.differences(one, other).isEmpty
    }

    /// Returns whether the two sources can't run at the same time: they read the same place, or have the same name and
    /// thus the same state.
    package func readsWhere(_ other: SourceSettings) -> Bool {
        name == other.name || kind.place == other.kind.place
    }
}

// The options `input`, `field` and `column`.
extension InputForm {
    enum Word: String, Sendable, CaseIterable {
        case line
        case jsonl
        case tsv
    }

    var word: Word {
        get {
            switch self {
            case .line: .line
            case .jsonl: .jsonl
            case .tsv: .tsv
            }
        }
        set {
            switch newValue {
            case .line: self = .line
            case .jsonl: self = .jsonl(field: jsonField)
            case .tsv: self = .tsv(column: tsvColumn)
            }
        }
    }

    var jsonField: String {
        get { if case .jsonl(let field) = self { field } else { "text" } }
        set { self = .jsonl(field: newValue) }
    }

    var tsvColumn: Int {
        get { if case .tsv(let column) = self { column } else { 1 } }
        set { self = .tsv(column: newValue) }
    }
}
