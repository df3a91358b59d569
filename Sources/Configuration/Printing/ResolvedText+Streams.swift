// Sources and sinks.
extension ResolvedText {
    static func write(_ source: SourceSettings, to text: inout BlockWriter) {
        typealias Table = SourceOptions
        text.line(Table.name, source.name)
        switch source.kind {
        case .stdin(let spool):
            text.line(Table.kind, "stdin")
            write(spool, to: &text)
        case .fifo(let fifo):
            text.line(Table.kind, "fifo")
            text.line(Table.path, fifo.path)
            text.line(Table.permissions, fifo.permissions)
            write(fifo.spool, to: &text)
        case .directory(let directory):
            text.line(Table.kind, "directory")
            write(directory, to: &text)
        }
        switch source.input {
        case .line: text.line(Table.input, "line")
        case .jsonl(let field):
            text.line(Table.input, "jsonl")
            text.line(Table.field, field)
        case .tsv(let column):
            text.line(Table.input, "tsv")
            text.line(Table.column, column)
        }
        text.line(Table.encoding, source.encoding)
        text.line(Table.maximumLineBytes, source.maximumLineBytes)
        text.line(Table.ordered, source.ordered)
    }

    private static func write(_ spool: SpoolSettings?, to text: inout BlockWriter) {
        text.line(SourceOptions.spool, spool != nil)
        if let spool { text.line(SourceOptions.spoolMaximumBytes, spool.maximumBytes) }
    }

    private static func write(_ directory: DirectorySettings, to text: inout BlockWriter) {
        typealias Table = SourceOptions
        text.line(Table.path, directory.path)
        switch directory.mode {
        case .files(let after):
            text.line(Table.mode, "files")
            switch after {
            case .keep: text.line(Table.after, "keep")
            case .delete: text.line(Table.after, "delete")
            case .move(let done):
                text.line(Table.after, "move")
                text.line(Table.doneDirectory, done)
            }
        case .tail(let start):
            text.line(Table.mode, "tail")
            text.line(Table.start, start)
        }
        text.line(Table.include, directory.include)
        text.line(Table.exclude, directory.exclude)
        text.line(Table.recursive, directory.recursive)
        text.line(Table.pollSeconds, directory.pollSeconds)
    }

    static func write(_ sink: SinkSettings, to text: inout BlockWriter) {
        typealias Table = SinkOptions
        text.line(Table.name, sink.name)
        switch sink.kind {
        case .stdout(let layout):
            text.line(Table.kind, "stdout")
            write(layout, to: &text)
        case .file(let file, let layout):
            text.line(Table.kind, "file")
            text.line(Table.filePath, file.path)
            text.line(Table.filePermissions, file.permissions)
            text.line(Table.sync, file.sync)
            write(layout, to: &text)
        case .fifo(let path, let permissions, let layout):
            text.line(Table.kind, "fifo")
            text.line(Table.path, path)
            text.line(Table.pipePermissions, permissions)
            write(layout, to: &text)
        case .socket(let path, let layout):
            text.line(Table.kind, "socket")
            text.line(Table.path, path)
            write(layout, to: &text)
        case .journald: text.line(Table.kind, "journald")
        }
        text.line(Table.labels, sink.filter.labels)
        text.line(Table.sources, sink.filter.sources)
        text.line(Table.by, sink.filter.by)
        text.line(Table.minimumConfidence, sink.filter.minimumConfidence)
        text.line(Table.whenFull, sink.whenFull)
    }

    private static func write(_ layout: SinkSettings.Layout, to text: inout BlockWriter) {
        text.line(SinkOptions.format, layout.format)
        text.line(SinkOptions.logits, layout.logits)
    }
}
