import Cascade
import Streams

/// A destination of answers.
public struct SinkSettings: SettingsBlock {
    /// Unique among the sinks.
    public var name = ""
    package var kind: any SinkKind = StandardOutputKind()
    public var filter = SinkFilter()
    public var whenFull = WhenFull.block

    public init() {}

    package static let block = Block<SinkSettings>(
        "sinks", "Where answers are written. An answer is written to every sink whose filter it passes."
    ) {
        BlockOption(
            required: "name", .name, at: \.name, example: "answers", reload: .sink,
            "Name of the sink in logs and metrics. Names are unique.")
        KindChoice(of: SinkKinds.all, example: "file", reload: .sink) {
            $0.kind
        } set: {
            if let kind = $0 as? any SinkKind { $1.kind = kind }
        }
        BlockOption(
            "labels", .list(), at: \.filter.labels, example: "[sports, culture]", reload: .live,
            "Labels whose answers the sink takes; an empty list takes all.")
        BlockOption(
            "sources", .list(), at: \.filter.sources, example: "[wire]", reload: .live,
            "Sources whose answers the sink takes; an empty list takes all.")
        BlockOption(
            "by", .choice, at: \.filter.by, reload: .live,
            "Model whose answers the sink takes.")
        BlockOption(
            "minimum_confidence", .share, at: \.filter.minimumConfidence, reload: .live,
            "Minimum confidence of the answers that the sink takes, as a share; 0 takes all.")
        BlockOption(
            "when_full", .choice, at: \.whenFull, reload: .sink,
            "Handling of a sink that can't keep up. `block` makes the sources wait, so that nothing is lost; `drop` "
                + "drops answers and counts them.")
    }

    package func check(_ reader: BlockReader) {
        let context = reader.context
        if !name.isEmpty {
            context.sinks.take(name, at: reader.span(of: "name"), errors: context.errors)
        }
        let sources = context.sources.names
        // If there are no sources, that is the error to report.
        for name in filter.sources where !sources.isEmpty && !sources.contains(name) {
            let near = NearestName.find(name, among: sources).map { "did you mean '\($0)'?" }
            context.errors.add(
                "there is no source \(YAMLText.shown(name))", at: reader.span(of: name, in: "sources"),
                hint: near ?? "known are " + sources.joined(separator: ", "))
        }
        guard reader.hasKind else { return }
        // A sink with a wrong name is still checked.
        let shownName = name.isEmpty ? "?" : name
        kind.claimPaths(reader, owner: "sink \(YAMLText.shown(shownName))", filter: filter)
        if let use = type(of: kind).exclusiveUse {
            context.sinks.use(use, by: shownName, at: reader.span(of: "kind"), errors: context.errors)
        }
    }
}

extension SinkSettings {
    /// Equal if every option is.
    public static func == (one: SinkSettings, other: SinkSettings) -> Bool {
        block.differences(one, other).isEmpty
    }

    /// Returns whether a reload from `old` keeps the open sink: no option that needs another one differs.
    package func keepsSink(of old: SinkSettings) -> Bool {
        !Self.block.differences(old, self).contains { [.sink, .sinkFile].contains($0.option.reload) }
    }

    /// Returns whether options differ that a file in use keeps until the next restart.
    package func changesFile(of old: SinkSettings) -> Bool {
        Self.block.differences(old, self).contains { $0.option.reload == .sinkFile }
    }
}

/// The conditions for a sink to take an answer. All must hold.
public struct SinkFilter: Sendable, Equatable {
    /// Empty: any label.
    public var labels: [String] = []
    /// Names of sources; empty: any source.
    public var sources: [String] = []
    /// The model whose answers are taken.
    public var by = AnswerRoutes.Route.Who.anyone
    /// 0 … 1.
    public var minimumConfidence = 0.0
}
