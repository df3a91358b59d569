/// Reads `sources:`.
struct SourceListReader {
    let context: ReadingContext

    private typealias Table = SourceOptions

    /// Adds the names of all sources to `names`, including sources with other errors.
    func sources(
        _ nodes: [YAMLNode], names: inout NameRegister, claims: inout PathClaims
    ) -> [SourceSettings] {
        var stdin: String?
        var sources: [SourceSettings] = []
        for node in nodes {
            guard let reader = BlockReader(node, as: Table.block, context: context) else { continue }
            let name = reader.value(Table.name)
            if let name { names.take(name, at: reader.span(of: Table.name.facts.name), errors: context.errors) }
            let input = input(reader)
            let encoding = reader.value(Table.encoding)
            let maximumLineBytes = reader.value(Table.maximumLineBytes)
            let ordered = reader.value(Table.ordered)
            // A source with a wrong name is still checked.
            let shownName = name ?? "?"
            guard let kind = kind(reader, owner: "source \(YAMLText.shown(shownName))", claims: &claims) else {
                continue
            }
            if encoding.isUTF16 {
                if case .directory = kind {
                } else {
                    context.errors.add(
                        "'encoding: \(encoding.rawValue)' is only for 'kind: directory': a stream has no byte order mark"
                            + " of its own for each writer; convert it to UTF-8 (iconv -f utf-16 -t utf-8)",
                        at: reader.span(of: Table.encoding.facts.name))
                }
            }
            if case .stdin = kind {
                if let stdin {
                    context.errors.add(
                        "standard input is read by source \(YAMLText.shown(stdin)) already",
                        at: reader.span(of: Table.kind.facts.name))
                }
                stdin = shownName
            }
            sources.append(
                SourceSettings(
                    name: shownName, input: input, encoding: encoding, maximumLineBytes: maximumLineBytes,
                    ordered: ordered, kind: kind))
        }
        return sources
    }

    private func input(_ reader: BlockReader) -> InputSettings {
        switch reader.value(Table.input) {
        case "jsonl": .jsonl(field: reader.value(Table.field))
        case "tsv": .tsv(column: reader.value(Table.column))
        default: .line
        }
    }

    private func kind(
        _ reader: BlockReader, owner: String, claims: inout PathClaims
    ) -> SourceSettings.Kind? {
        switch reader.value(Table.kind) {
        case "stdin": return .stdin(spool(reader))
        case "fifo":
            let permissions = reader.value(Table.permissions)
            let spool = spool(reader)
            guard let path = reader.value(Table.path) else { return nil }
            claims.add(PathClaim(owner: owner, use: .isSpecial, path: path, span: span(reader)))
            return .fifo(FIFOSettings(path: path, permissions: permissions, spool: spool))
        case "directory": return directory(reader, owner: owner, claims: &claims)
        default: return nil
        }
    }

    private func spool(_ reader: BlockReader) -> SpoolSettings? {
        let maximumBytes = reader.value(Table.spoolMaximumBytes)
        return reader.value(Table.spool) ? SpoolSettings(maximumBytes: maximumBytes) : nil
    }

    private func directory(
        _ reader: BlockReader, owner: String, claims: inout PathClaims
    ) -> SourceSettings.Kind? {
        let include = reader.value(Table.include)
        let exclude = reader.value(Table.exclude)
        let recursive = reader.value(Table.recursive)
        let pollSeconds = reader.value(Table.pollSeconds)
        let path = reader.value(Table.path)
        if let path {
            let watch = PathClaim.Watch(recursive: recursive, include: include, exclude: exclude)
            claims.add(PathClaim(owner: owner, use: .watches(watch), path: path, span: span(reader)))
        }
        guard let mode = mode(reader, owner: owner, claims: &claims), let path else { return nil }
        return .directory(
            DirectorySettings(
                path: path, mode: mode, include: include, exclude: exclude, recursive: recursive,
                pollSeconds: pollSeconds))
    }

    private func mode(
        _ reader: BlockReader, owner: String, claims: inout PathClaims
    ) -> DirectorySettings.Mode? {
        guard reader.value(Table.mode) == "files" else { return .tail(start: reader.value(Table.start)) }
        switch reader.value(Table.after) {
        case "move":
            guard let done = reader.value(Table.doneDirectory) else { return nil }
            let span = reader.span(of: Table.doneDirectory.facts.name)
            claims.add(PathClaim(owner: "done_directory of \(owner)", use: .takesFiles, path: done, span: span))
            return .files(after: .move(to: done))
        case "delete": return .files(after: .delete)
        default: return .files(after: .keep)
        }
    }

    private func span(_ reader: BlockReader) -> SourceSpan { reader.span(of: Table.path.facts.name) }
}
