import Foundation
import Testing

/// Runs the built binary.
enum Program {
    struct Result {
        var status: Int32
        /// Ended by a signal; `status` is its number.
        var wasKilled = false
        var output = ""
        var errors = ""

        var outputLines: [Substring] { output.split(separator: "\n") }
        var errorLines: [Substring] { errors.split(separator: "\n") }
    }

    /// `$UNDERSTUDY_BINARY`, else `understudy` in the build folder that holds the running test bundle.
    static let path: String = {
        if let named = ProcessInfo.processInfo.environment["UNDERSTUDY_BINARY"] { return named }
        let starts = [URL(fileURLWithPath: CommandLine.arguments[0]), Bundle.main.bundleURL, Bundle.module.bundleURL]
        for start in starts {
            var folder = start.resolvingSymlinksInPath()
            while folder.path != "/" {
                folder.deleteLastPathComponent()
                let candidate = folder.appendingPathComponent("understudy").path
                var isDirectory: ObjCBool = false
                if FileManager.default.fileExists(atPath: candidate, isDirectory: &isDirectory), !isDirectory.boolValue
                {
                    return candidate
                }
            }
        }
        return "understudy"
    }()

    /// The folder of the package.
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Whether the bundled pair is there, where the binary looks for it; without it no line can be answered.
    static var hasBundledModels: Bool {
        let named = ProcessInfo.processInfo.environment["UNDERSTUDY_MODELS"]
        let models = named.map { URL(fileURLWithPath: $0) } ?? repository.appendingPathComponent("share/models")
        return ["student", "teacher"].allSatisfy {
            FileManager.default.fileExists(atPath: models.appendingPathComponent("\($0)/config.json").path)
        }
    }

    /// Runs `understudy` with `input` on its standard input, to its end.
    static func run(_ arguments: [String], input: [UInt8] = []) throws -> Result {
        let running = try Running(path, arguments)
        running.send(input)
        running.closeInput()
        return running.wait()
    }

    /// Runs a bash command; `$U` is the binary. For redirections and pipes.
    static func shell(_ command: String, input: [UInt8] = []) throws -> Result {
        let running = try Running("/bin/bash", ["-c", command], environment: ["U": path])
        running.send(input)
        running.closeInput()
        return running.wait()
    }
}
