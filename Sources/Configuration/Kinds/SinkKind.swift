import Cascade
import Diagnostics
import Streams

/// A kind of sink: its options, and what is done with them. Each kind is one file; `SinkKinds` lists them.
package protocol SinkKind: KindSettings {
    /// The file that it appends to, with placeholders; nil for other kinds. Sinks with the same file must share it,
    /// because two accounts of a file's length would both be wrong.
    var appendedFile: String? { get }
    /// The form of its records, for the recovery of a file after a crash; nil for kinds without a file.
    var storedForm: SinkForm? { get }

    /// Adds the paths that the sink uses. Required options may be missing.
    func claimPaths(_ reader: BlockReader, owner: String, filter: SinkFilter)

    /// Checks whether this user may use the paths.
    func check(_ paths: inout PathCheck, sink: String)

    /// Returns the maximum number of open files for so many labels and sources.
    func openFiles(labels: Int, sources: Int) -> Int

    func encoder(_ naming: AnswerNaming) -> any RecordEncoder

    /// Opens as much as possible, so that a wrong path is found at the start and not at the first answer.
    func open(_ opening: SinkOpening) throws(UnderstudyError) -> OpenedSink
}

extension SinkKind {
    package var appendedFile: String? { nil }
    package var storedForm: SinkForm? { nil }
    package func openFiles(labels: Int, sources: Int) -> Int { 1 }
}

/// The kinds of sinks, in the order of the documentation.
package enum SinkKinds {
    package static let all: [any SinkKind.Type] = [
        StandardOutputKind.self, FileKind.self, FIFOSinkKind.self, SocketKind.self, JournalKind.self,
    ]
}

/// What a sink needs to be opened, beside the options of its kind.
package struct SinkOpening: Sendable {
    package let name: String
    package let whenFull: WhenFull
    package let keeping: SinkKeeping
    /// Stores a file's length before its first byte is written.
    package let register: @Sendable (SinkLength) throws(UnderstudyError) -> Void
    package let report: @Sendable (UnderstudyError) -> Void

    package init(
        name: String, whenFull: WhenFull, keeping: SinkKeeping,
        register: @escaping @Sendable (SinkLength) throws(UnderstudyError) -> Void,
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) {
        self.name = name
        self.whenFull = whenFull
        self.keeping = keeping
        self.register = register
        self.report = report
    }
}

/// The names that records contain.
package struct AnswerNaming: Sendable {
    package let source: String
    package let labels: [String]
    package let student: String
    package let teacher: String?

    package init(source: String, labels: [String], student: String, teacher: String?) {
        self.source = source
        self.labels = labels
        self.student = student
        self.teacher = teacher
    }
}

/// The layout of an answer, which all kinds have that write text.
package struct AnswerLayout: SettingsGroup {
    package var format = OutputFormat.jsonl
    /// Whether the models' logits are written as well.
    package var logits = false

    package init() {}

    static let options: [BlockOption<AnswerLayout>] = [
        BlockOption(
            "format", .choice, at: \.format, reload: .live,
            "Format of an answer; see formats.md."),
        BlockOption(
            "logits", .flag, at: \.logits, reload: .live,
            "Whether the models' logits are written as well. They make answers several times as long."),
    ]

    func encoder(_ naming: AnswerNaming) -> any RecordEncoder {
        AnswerEncoder(
            format: format, source: naming.source, labels: naming.labels, student: naming.student,
            teacher: naming.teacher, includesLogits: logits)
    }
}
