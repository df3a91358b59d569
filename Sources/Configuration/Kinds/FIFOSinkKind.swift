import Cascade
import Diagnostics
import Glibc
import Streams

/// `kind: fifo` of a sink
package struct FIFOSinkKind: SinkKind {
    package var path = ""
    /// Mode bits of the pipe when it is created, at most 0o777.
    package var permissions: UInt32 = 0o660
    package var layout = AnswerLayout()

    package init() {}

    package static let block = Block<FIFOSinkKind>("fifo", "A named pipe.") {
        FlowPath.option(at: \.path)
        BlockOption(
            "permissions", .permissions, at: \.permissions, reload: .sink,
            "Mode of a created pipe, in octal digits. By default the group may open it and others may not.")
        AnswerLayout.options.map { $0.inside(\.layout) }
    }

    package static let noun = "a named pipe"

    package func claimPaths(_ reader: BlockReader, owner: String, filter: SinkFilter) {
        FlowPath.claim(path, reader, owner: owner)
    }

    package func check(_ paths: inout PathCheck, sink: String) { paths.pipes(path, mode: W_OK) }

    package func encoder(_ naming: AnswerNaming) -> any RecordEncoder { layout.encoder(naming) }

    package func open(_ opening: SinkOpening) throws(UnderstudyError) -> OpenedSink {
        .flow(
            try FIFOSink(
                name: opening.name, path: path, permissions: permissions, whenFull: opening.whenFull,
                report: opening.report))
    }
}

/// The path of a pipe or a socket, which the two kinds declare alike.
enum FlowPath {
    static func option<Root: SettingsGroup>(at path: SettingsPath<Root, String>) -> BlockOption<Root> {
        BlockOption(
            required: "path", .path, at: path, example: "/run/understudy/answers", reload: .sink,
            "Path of the pipe, which is created if missing, or of the socket, on which another process must listen.")
    }

    static func claim(_ path: String, _ reader: BlockReader, owner: String) {
        guard !path.isEmpty else { return }
        reader.context.claims.add(
            PathClaim(owner: owner, use: .isSpecial, path: path, span: reader.span(of: "path")))
    }
}
