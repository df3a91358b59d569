import Foundation

/// Another process at the database: the `sqlite3` shell, which runs `script` and then keeps what that left open.
final class Sqlite3 {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    static let isThere = FileManager.default.isExecutableFile(atPath: "/usr/bin/sqlite3")

    /// Returns when the script has run.
    init(_ database: String, _ script: String) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
        process.arguments = ["-bail", database]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data("\(script);\n.print ready\n".utf8))
        var answer = Data()
        while !String(decoding: answer, as: UTF8.self).contains("ready"),
            case let piece = output.fileHandleForReading
                .availableData, !piece.isEmpty
        {
            answer += piece
        }
    }

    func end() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
