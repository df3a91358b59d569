import Diagnostics
import Streams

/// A kind of source: its options, and what is done with them. Each kind is one file; `SourceKinds` lists them.
package protocol SourceKind: KindSettings {
    /// Whether the source can find the lines of UTF-16 text, whose line ends take two bytes.
    static var readsUTF16: Bool { get }

    /// What it reads. Two sources can't read the same place at the same time.
    var place: String { get }
    /// Whether lines already read can't be read again.
    var isStream: Bool { get }
    /// The directory that it watches, and whether with its subdirectories; nil if it watches none.
    var watched: (directory: String, isRecursive: Bool)? { get }

    /// Adds the paths that the source uses. Required options may be missing.
    func claimPaths(_ reader: BlockReader, owner: String)

    /// Checks whether this user may use the paths.
    func check(_ paths: inout PathCheck)

    /// Opens the source.
    func open(_ opening: SourceOpening) throws(UnderstudyError) -> any StreamSource
}

extension SourceKind {
    package static var readsUTF16: Bool { false }
    package var watched: (directory: String, isRecursive: Bool)? { nil }
}

/// The kinds of sources, in the order of the documentation.
package enum SourceKinds {
    package static let all: [any SourceKind.Type] = [
        StandardInputKind.self, FIFOSourceKind.self, DirectoryKind.self,
    ]
}

/// What a source needs to be opened, beside the options of its kind.
package struct SourceOpening: Sendable {
    package let settings: SourceSettings
    package let stateDirectory: String
    /// Transfers the descriptor of the pipe at a path that was opened before the start; nil if there is none.
    package let inherited: @Sendable (_ path: String) -> Int32?
    package let checkpoints: @Sendable (_ source: String) throws(UnderstudyError) -> [FileCheckpoint]
    package let report: @Sendable (UnderstudyError) -> Void

    package init(
        settings: SourceSettings, stateDirectory: String, inherited: @escaping @Sendable (_ path: String) -> Int32?,
        checkpoints: @escaping @Sendable (_ source: String) throws(UnderstudyError) -> [FileCheckpoint],
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) {
        self.settings = settings
        self.stateDirectory = stateDirectory
        self.inherited = inherited
        self.checkpoints = checkpoints
        self.report = report
    }
}

/// The spool of a stream: its lines are written to the state directory first, so that they survive a kill.
package struct SpoolSettings: SettingsGroup {
    package var isOn = false
    /// Maximum bytes of unanswered lines; at the limit the source waits.
    package var maximumBytes = 1_073_741_824

    package init() {}

    static let options: [BlockOption<SpoolSettings>] = [
        BlockOption(
            "spool", .flag, at: \.isOn, reload: .source,
            "Whether lines are first written to a spool in the state directory, so that they survive a kill. It costs a "
                + "disk write per line."),
        BlockOption(
            "spool_maximum_bytes", .count(1_048_576...1_125_899_906_842_624, .bytes), at: \.maximumBytes,
            only: [.option("spool", is: "true")], reload: .source,
            "Maximum size of the unanswered lines in the spool, in bytes; at the limit the source waits. The default "
                + "holds hours of a news feed."),
    ]

    /// Returns `source` behind its spool, if that is on.
    func spooled(
        _ source: any StreamSource, _ opening: SourceOpening
    ) throws(UnderstudyError) -> any StreamSource {
        guard isOn else { return source }
        return try SpooledSource(
            source, spool: opening.stateDirectory + "/spool", maximumBytes: UInt64(maximumBytes),
            checkpoints: try opening.checkpoints(source.name), report: opening.report)
    }
}
