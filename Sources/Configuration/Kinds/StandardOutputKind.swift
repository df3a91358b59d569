import Cascade
import Diagnostics
import Streams

/// `kind: stdout`
package struct StandardOutputKind: SinkKind {
    package var layout = AnswerLayout()

    package init() {}

    package static let block = Block<StandardOutputKind>("stdout", "Standard output.") {
        AnswerLayout.options.map { $0.inside(\.layout) }
    }

    package static let noun = "standard output"
    package static let exclusiveUse: String? = "standard output is written"

    package func claimPaths(_ reader: BlockReader, owner: String, filter: SinkFilter) {}

    package func check(_ paths: inout PathCheck, sink: String) {}

    package func encoder(_ naming: AnswerNaming) -> any RecordEncoder { layout.encoder(naming) }

    package func open(_ opening: SinkOpening) throws(UnderstudyError) -> OpenedSink {
        .flow(
            try StandardOutputSink(name: opening.name, whenFull: opening.whenFull, report: opening.report))
    }
}
