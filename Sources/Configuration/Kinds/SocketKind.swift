import Cascade
import Diagnostics
import Streams

/// `kind: socket`
package struct SocketKind: SinkKind {
    package var path = ""
    package var layout = AnswerLayout()

    package init() {}

    package static let block = Block<SocketKind>(
        "socket", "A Unix stream socket on which another process listens."
    ) {
        FlowPath.option(at: \.path)
        AnswerLayout.options.map { $0.inside(\.layout) }
    }

    package static let noun = "a Unix stream socket"

    package func claimPaths(_ reader: BlockReader, owner: String, filter: SinkFilter) {
        if path.utf8.count > AddressText.longestSocketPath {
            reader.context.errors.add(
                "'path' is longer than the \(AddressText.longestSocketPath) bytes that a socket's may have",
                at: reader.span(of: "path"))
        }
        FlowPath.claim(path, reader, owner: owner)
    }

    package func check(_ paths: inout PathCheck, sink: String) { paths.connects(path) }

    package func encoder(_ naming: AnswerNaming) -> any RecordEncoder { layout.encoder(naming) }

    package func open(_ opening: SinkOpening) throws(UnderstudyError) -> OpenedSink {
        .flow(
            try SocketSink(
                name: opening.name, path: path, whenFull: opening.whenFull, report: opening.report))
    }
}
