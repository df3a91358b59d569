import Diagnostics
import Glibc
import Streams

/// `kind: fifo` of a source
package struct FIFOSourceKind: SourceKind {
    package var path = ""
    /// Mode bits of the pipe when it is created, at most 0o777.
    package var permissions: UInt32 = 0o660
    package var spool = SpoolSettings()

    package init() {}

    package static let block = Block<FIFOSourceKind>("fifo", "Lines of a named pipe.") {
        SourcePath.option(at: \.path)
        BlockOption(
            "permissions", .permissions, at: \.permissions, reload: .source,
            "Mode of a created pipe, in octal digits. By default the group may write to it.")
        SpoolSettings.options.map { $0.inside(\.spool) }
    }

    package static let noun = "a named pipe"
    package var place: String { path }
    package var isStream: Bool { !spool.isOn }

    package func claimPaths(_ reader: BlockReader, owner: String) {
        guard !path.isEmpty else { return }
        reader.context.claims.add(
            PathClaim(owner: owner, use: .isSpecial, path: path, span: reader.span(of: "path")))
    }

    package func check(_ paths: inout PathCheck) { paths.pipes(path, mode: R_OK | W_OK) }

    package func open(_ opening: SourceOpening) throws(UnderstudyError) -> any StreamSource {
        let source = try FIFOSource(
            name: opening.settings.name, path: path, permissions: permissions, inherited: opening.inherited(path),
            report: opening.report)
        return try spool.spooled(source, opening)
    }
}

/// The path of a pipe or a directory, which the two kinds declare alike.
enum SourcePath {
    static func option<Root: SettingsGroup>(at path: SettingsPath<Root, String>) -> BlockOption<Root> {
        BlockOption(
            required: "path", .path, at: path, example: "/run/understudy/wire", reload: .source,
            "Path of the pipe or directory. A missing pipe is created, or inherited from a systemd socket unit.")
    }
}
