import Diagnostics
import Streams

/// `kind: directory`
package struct DirectoryKind: SourceKind {
    /// The settings of the running source, apart from the name and the options of all kinds.
    package var settings = DirectorySource.Settings(name: "", path: "", include: ["*"])

    package init() {}

    package static let block = Block<DirectoryKind>("directory", "Lines of the files of a directory.") {
        SourcePath.option(at: \.settings.path)
        BlockOption(
            "mode", .choice, at: \.settings.mode, reload: .source,
            "`files` reads each file once, when it is complete; `tail` follows growing files.")
        BlockOption(
            "include", .list(least: 1), at: \.settings.include, example: "[\"*.txt\", \"*.gz\"]", reload: .source,
            "Shell patterns of the files to read; one must match the path below the directory. `*` matches a slash as "
                + "well. Names that start with a dot or end in .tmp, .part, .swp or ~ are always ignored.")
        BlockOption(
            "exclude", .list(), at: \.settings.exclude, example: "[\"*.bak\"]", reload: .source,
            "Shell patterns of the files to ignore. They take precedence over `include`.")
        BlockOption(
            "recursive", .flag, at: \.settings.recursive, reload: .source,
            "Whether subdirectories are read as well.")
        BlockOption(
            "after", .choice, at: \.settings.after.word, only: [.option("mode", is: "files")], reload: .source,
            "What is done with a file once its last answer is durable.")
        BlockOption(
            required: "done_directory", .path, at: \.settings.after.doneDirectory,
            only: [.option("mode", is: "files"), .option("after", is: "move")], example: "/var/spool/understudy-done",
            reload: .source,
            "Directory that `after: move` moves files to. It must be on the same file system as `path`.")
        BlockOption(
            "start", .choice, at: \.settings.start, only: [.option("mode", is: "tail")], reload: .source,
            "Where to start in files that exist at the very first start. `beginning` misses no line.")
        BlockOption(
            "poll_seconds", .count(1...3600, .seconds), at: \.wholePollSeconds, reload: .source,
            "Seconds between two scans of the directory when inotify can't watch it.")
    }

    package static let noun = "a directory of files"
    package static let readsUTF16 = true
    package var place: String { settings.path }
    package var isStream: Bool { false }
    package var watched: (directory: String, isRecursive: Bool)? { (settings.path, settings.recursive) }

    private var wholePollSeconds: Int {
        get { Int(settings.pollSeconds) }
        set { settings.pollSeconds = Double(newValue) }
    }

    package func claimPaths(_ reader: BlockReader, owner: String) {
        if !settings.path.isEmpty {
            let watch = PathClaim.Watch(
                recursive: settings.recursive, include: settings.include, exclude: settings.exclude)
            reader.context.claims.add(
                PathClaim(owner: owner, use: .watches(watch), path: settings.path, span: reader.span(of: "path")))
        }
        guard case .move(let done) = settings.after, !done.isEmpty else { return }
        let span = reader.span(of: "done_directory")
        reader.context.claims.add(
            PathClaim(owner: "done_directory of \(owner)", use: .takesFiles, path: done, span: span))
    }

    package func check(_ paths: inout PathCheck) {
        if case .move(let done) = settings.after { paths.keeps(directory: done) }
        paths.reads(directory: settings.path, writes: settings.after != .keep)
    }

    package func open(_ opening: SourceOpening) throws(UnderstudyError) -> any StreamSource {
        var settings = settings
        settings.name = opening.settings.name
        settings.maximumLineBytes = opening.settings.maximumLineBytes
        settings.encoding = opening.settings.encoding
        return try DirectorySource(
            settings, checkpoints: try opening.checkpoints(settings.name), report: opening.report)
    }
}

// The options `after` and `done_directory`.
extension DirectorySource.Settings.After {
    enum Word: String, Sendable, CaseIterable {
        case keep
        case move
        case delete
    }

    var word: Word {
        get {
            switch self {
            case .keep: .keep
            case .move: .move
            case .delete: .delete
            }
        }
        set {
            switch newValue {
            case .keep: self = .keep
            case .move: self = .move(to: doneDirectory)
            case .delete: self = .delete
            }
        }
    }

    var doneDirectory: String {
        get { if case .move(let directory) = self { directory } else { "" } }
        set { self = .move(to: newValue) }
    }
}
