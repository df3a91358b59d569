import Foundation
import Testing

/// Files of the repository that tests look at.
enum RepositoryFile {
    /// The folder with etc/ and docs/, found from this file's place.
    static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Compares a text that is made from the code with the file that holds it.
    ///
    /// With UNDERSTUDY_REWRITE=1 in the environment the file is written anew.
    static func expect(_ path: String, holds text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let url = root.appending(path: path)
        if ProcessInfo.processInfo.environment["UNDERSTUDY_REWRITE"] == "1" {
            try text.write(to: url, atomically: true, encoding: .utf8)
        }
        let held = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
        guard held != text else { return }
        let pairs = zip(
            held.split(separator: "\n", omittingEmptySubsequences: false),
            text.split(separator: "\n", omittingEmptySubsequences: false))
        let line = pairs.enumerated().first { $0.element.0 != $0.element.1 }
        Issue.record(
            """
            \(path) isn't what the code says; first in line \((line?.offset ?? -2) + 1):
            file: \(line?.element.0 ?? "")
            code: \(line?.element.1 ?? "")
            UNDERSTUDY_REWRITE=1 swift test writes it anew.
            """, sourceLocation: sourceLocation)
    }
}
