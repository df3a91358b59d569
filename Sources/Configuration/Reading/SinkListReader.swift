/// Reads `sinks:`.
struct SinkListReader {
    let context: ReadingContext
    /// Names of the sources.
    let sources: [String]

    private typealias Table = SinkOptions

    func sinks(_ nodes: [YAMLNode], claims: inout PathClaims) -> [SinkSettings] {
        var names = NameRegister(of: "sink")
        var stdout: String?
        var sinks: [SinkSettings] = []
        for node in nodes {
            guard let reader = BlockReader(node, as: Table.block, context: context) else { continue }
            let name = reader.value(Table.name)
            if let name { names.take(name, at: reader.span(of: Table.name.facts.name), errors: context.errors) }
            let filter = filter(reader)
            let whenFull = reader.value(Table.whenFull)
            // A sink with a wrong name is still checked.
            let shownName = name ?? "?"
            let owner = "sink \(YAMLText.shown(shownName))"
            guard let kind = kind(reader, owner: owner, filter: filter, claims: &claims) else { continue }
            if case .stdout = kind {
                if let stdout {
                    context.errors.add(
                        "standard output is written by sink \(YAMLText.shown(stdout)) already",
                        at: reader.span(of: Table.kind.facts.name))
                }
                stdout = shownName
            }
            sinks.append(SinkSettings(name: shownName, kind: kind, filter: filter, whenFull: whenFull))
        }
        return sinks
    }

    private func filter(_ reader: BlockReader) -> SinkFilter {
        let filter = SinkFilter(
            labels: reader.value(Table.labels), sources: reader.value(Table.sources), by: reader.value(Table.by),
            minimumConfidence: reader.value(Table.minimumConfidence))
        // If there are no sources, that is the error to report.
        for name in filter.sources where !sources.isEmpty && !sources.contains(name) {
            context.errors.add(
                "there is no source \(YAMLText.shown(name))", at: reader.span(of: name, in: Table.sources.facts.name),
                hint: hint(name))
        }
        return filter
    }

    private func hint(_ name: String) -> String {
        if let near = NearestName.find(name, among: sources) { return "did you mean '\(near)'?" }
        return "known are " + sources.joined(separator: ", ")
    }

    private func kind(
        _ reader: BlockReader, owner: String, filter: SinkFilter, claims: inout PathClaims
    ) -> SinkSettings.Kind? {
        let span = reader.span(of: Table.path.facts.name)
        switch reader.value(Table.kind) {
        case "stdout": return .stdout(layout(reader))
        case "file":
            let permissions = reader.value(Table.filePermissions)
            let sync = reader.value(Table.sync)
            let layout = layout(reader)
            guard let path = reader.value(Table.filePath) else { return nil }
            let names = filter.sources.isEmpty ? sources : filter.sources
            let paths = FilePaths.all(path, labels: filter.labels, sources: names)
            claims.add(PathClaim(owner: owner, use: .writes, paths: paths, span: span))
            return .file(SinkSettings.FileSettings(path: path, permissions: permissions, sync: sync), layout)
        case "fifo":
            let permissions = reader.value(Table.pipePermissions)
            let layout = layout(reader)
            guard let path = reader.value(Table.path) else { return nil }
            claims.add(PathClaim(owner: owner, use: .isSpecial, path: path, span: span))
            return .fifo(path: path, permissions: permissions, layout)
        case "socket":
            let layout = layout(reader)
            guard let path = reader.value(Table.path) else { return nil }
            if path.utf8.count > AddressText.longestSocketPath {
                context.errors.add(
                    "'path' is longer than the \(AddressText.longestSocketPath) bytes that a socket's may have",
                    at: span)
            }
            claims.add(PathClaim(owner: owner, use: .isSpecial, path: path, span: span))
            return .socket(path: path, layout)
        case "journald": return .journald
        default: return nil
        }
    }

    private func layout(_ reader: BlockReader) -> SinkSettings.Layout {
        SinkSettings.Layout(format: reader.value(Table.format), logits: reader.value(Table.logits))
    }
}

/// The paths that a file sink may write to, as far as they are known before the first answer.
enum FilePaths {
    /// Maximum number of paths listed; beyond it the placeholder is kept.
    private static let most = 16

    /// Returns the path with `{source}` and, if the sink filters by label, `{label}` replaced. `{date}` is kept,
    /// because all sinks write on the same day.
    static func all(_ path: String, labels: [String], sources: [String]) -> [String] {
        filled(filled([path], "{label}", labels), "{source}", sources)
    }

    private static func filled(_ paths: [String], _ placeholder: String, _ values: [String]) -> [String] {
        guard !values.isEmpty, paths.count * values.count <= most else { return paths }
        guard paths.contains(where: { $0.contains(placeholder) }) else { return paths }
        return paths.flatMap { path in
            values.map { path.split(separator: placeholder, omittingEmptySubsequences: false).joined(separator: $0) }
        }
    }
}
