import Cascade
import Diagnostics
import Streams

/// `kind: file`, and the dead-letter file
package struct FileKind: SinkKind {
    package enum Sync: String, Sendable, CaseIterable {
        /// Calls fdatasync(2) at each commit.
        case commit
        /// Leaves writing to the kernel: a power loss may lose answers.
        case none
    }

    /// May hold `{label}`, `{source}` and `{date}`.
    package var path = ""
    /// Mode bits of created files, at most 0o777.
    package var permissions: UInt32 = 0o640
    package var sync = Sync.commit
    package var layout = AnswerLayout()

    package init() {}

    package static let block = Block<FileKind>("file", "A file.") {
        BlockOption(
            required: "path", .template, at: \.path, example: "/var/log/understudy/answers.jsonl", reload: .sink,
            "Path of the file. With `{label}`, `{source}` or `{date}` in it the sink writes several files.")
        BlockOption(
            "permissions", .permissions, at: \.permissions, reload: .sinkFile,
            "Mode of created files, in octal digits. By default the group may read them and others may not.")
        BlockOption(
            "sync", .choice, at: \.sync, reload: .sinkFile,
            "`commit` syncs the file to disk at each commit. With `none`, a power loss may lose answers.")
        AnswerLayout.options.map { $0.inside(\.layout) }
    }

    package static let noun = "a file"
    package var appendedFile: String? { path }

    package var storedForm: SinkForm? {
        switch layout.format {
        case .jsonl: .json
        case .tsv: .tsv
        case .label: .any
        }
    }

    package func claimPaths(_ reader: BlockReader, owner: String, filter: SinkFilter) {
        guard !path.isEmpty else { return }
        let sources = filter.sources.isEmpty ? reader.context.sources.names : filter.sources
        let paths = FilePaths.all(path, labels: filter.labels, sources: sources)
        reader.context.claims.add(
            PathClaim(owner: owner, use: .writes, paths: paths, span: reader.span(of: "path")))
    }

    package func check(_ paths: inout PathCheck, sink: String) {
        guard let brace = path.firstIndex(of: "{") else { return paths.appends(path) }
        let fixed = path[..<brace]
        let directory = fixed.lastIndex(of: "/").map { String(fixed[..<$0]) } ?? "."
        paths.keeps(directory: directory.isEmpty ? "/" : directory)
    }

    package func openFiles(labels: Int, sources: Int) -> Int {
        var count = 1
        if path.contains("{label}") { count *= max(1, labels) }
        if path.contains("{source}") { count *= max(1, sources) }
        // Lines of two days may alternate around midnight.
        if path.contains("{date}") { count *= 2 }
        return count
    }

    package func encoder(_ naming: AnswerNaming) -> any RecordEncoder { layout.encoder(naming) }

    package func open(_ opening: SinkOpening) throws(UnderstudyError) -> OpenedSink {
        let template = try PathTemplate(path)
        let sink = FileSink(
            FileSink.Settings(
                name: opening.name, path: template, permissions: permissions, syncs: sync == .commit),
            keeping: opening.keeping, register: opening.register, report: opening.report)
        if !template.usesLabel, !template.usesSource, !template.usesDate {
            _ = try sink.file(label: "", source: "", time: 0)
        }
        return .file(sink)
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
