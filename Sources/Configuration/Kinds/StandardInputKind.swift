import Diagnostics
import Streams

/// `kind: stdin`
package struct StandardInputKind: SourceKind {
    package var spool = SpoolSettings()

    package init() {}

    package static let block = Block<StandardInputKind>("stdin", "Lines of standard input.") {
        SpoolSettings.options.map { $0.inside(\.spool) }
    }

    package static let noun = "standard input"
    package static let exclusiveUse: String? = "standard input is read"
    package var place: String { Self.noun }
    package var isStream: Bool { !spool.isOn }

    package func claimPaths(_ reader: BlockReader, owner: String) {}

    package func check(_ paths: inout PathCheck) {}

    package func open(_ opening: SourceOpening) throws(UnderstudyError) -> any StreamSource {
        try spool.spooled(try StandardInputSource(name: opening.settings.name), opening)
    }
}
