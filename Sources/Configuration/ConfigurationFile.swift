import Diagnostics
import Glibc

/// Reads configuration files.
public enum ConfigurationFile {
    /// Maximum size of a file in bytes. It bounds memory and is far above any configuration.
    public static let mostBytes = 1_048_576

    /// Reads the settings of the file at `path`. `environment` supplies `${NAME}` and `$STATE_DIRECTORY`.
    ///
    /// - Throws: all errors of the file, including that it is missing or unreadable.
    public static func load(path: String, environment: [String: String]) throws(ConfigurationErrors) -> Settings {
        try read(try bytes(of: path), path: path, environment: environment)
    }

    /// Reads the settings from `bytes`. Errors name the file as `path`.
    public static func read(
        _ bytes: [UInt8], path: String, environment: [String: String]
    ) throws(ConfigurationErrors) -> Settings {
        guard bytes.count <= mostBytes else { throw failure(path, "the file is larger than \(mostBytes) bytes") }
        // The byte order mark that some editors write does not count as a column.
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
        let errors = ErrorCollector(path: path, source: SourceText(text))
        let node = text.withUnsafeBufferPointer { YAMLTree.node(of: $0, errors: errors) }
        let context = ReadingContext(file: Settings.block.facts, errors: errors, environment: environment)
        let reader = node.flatMap { BlockReader($0, as: Settings.block.facts, context: context) }
        let settings = reader.map { Settings.block.read($0) }
        context.claims.check(reportingTo: errors)
        if let found = errors.errors { throw found }
        guard let settings else { throw failure(path, "the file can't be read") }
        return settings
    }

    /// Reads the file, at most one byte beyond the limit.
    static func bytes(of path: String) throws(ConfigurationErrors) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code = UnderstudyError.Code.reading(errno, else: .configuration)
            throw failure(path, "the file can't be opened: \(reason())", code)
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: mostBytes + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
            }
            if got == 0 { break }
            if got > 0 {
                count += got
            } else if errno != EINTR {
                throw failure(path, "the file can't be read: \(reason())")
            }
        }
        return Array(bytes[..<count])
    }

    private static func reason() -> String {
        let text = String(cString: strerror(errno))
        return text.prefix(1).lowercased() + text.dropFirst()
    }

    private static func failure(
        _ path: String, _ message: String, _ code: UnderstudyError.Code = .configuration
    ) -> ConfigurationErrors {
        ConfigurationErrors([ConfigurationError(path: path, message: message)], code: code)
    }
}
