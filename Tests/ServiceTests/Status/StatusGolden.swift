import Foundation
import Testing

/// Texts that were looked at once and must stay as they are.
enum StatusGolden {
    /// Compares `text` with Goldens/`name`. With UPDATE_GOLDENS=1 in the environment it is written instead; look at the
    /// difference before committing it.
    static func check(_ text: String, _ name: String, at location: SourceLocation = #_sourceLocation) throws {
        if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
            let room = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            try Data(text.utf8).write(to: room.appending(path: "Goldens/\(name)"))
            return
        }
        let file = try #require(Bundle.module.url(forResource: "Goldens/\(name)", withExtension: nil))
        let golden = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        #expect(text == golden, "differs from Goldens/\(name)", sourceLocation: location)
    }
}
