import Diagnostics

/// The few settings that a command beside the daemon needs: the status address, the state directory and the registry.
/// The rest of the file may be wrong.
///
/// While a file is being edited, the daemon runs on with the previous settings and `status` must still find it.
public struct ConfigurationGlance: Sendable {
    private let path: String
    private let listen: Result<ListenAddress?, ConfigurationErrors>
    private let state: Result<StateSettings, ConfigurationErrors>
    private let registry: Result<String, ConfigurationErrors>
    /// All errors of the file; nil if it has none.
    public let errors: ConfigurationErrors?

    /// - Throws: the errors of a file that can't be read at all.
    public init(path: String, environment: [String: String]) throws(ConfigurationErrors) {
        try self.init(try ConfigurationFile.bytes(of: path), path: path, environment: environment)
    }

    /// Reads `bytes`. Errors name the file as `path`.
    public init(_ bytes: [UInt8], path: String, environment: [String: String]) throws(ConfigurationErrors) {
        self.path = path
        do throws(ConfigurationErrors) {
            let settings = try ConfigurationFile.read(bytes, path: path, environment: environment)
            listen = .success(settings.http?.listen)
            state = .success(settings.state)
            registry = .success(settings.registryDirectory)
            errors = nil
        } catch {
            guard bytes.count <= ConfigurationFile.mostBytes else { throw error }
            let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
            let text = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
            let parts = FileParts(text, path: path, environment: environment)
            listen = parts.value(of: ["http"], whole: error) { $0.http?.listen }
            state = parts.value(of: ["state"], whole: error) { $0.state }
            registry = parts.value(of: ["state", "models", "redistill"], whole: error) { $0.registryDirectory }
            errors = error
        }
    }

    /// Returns nil if the file has no `http` block. Throws `configuration` if that can't be determined.
    public func httpAddress() throws(UnderstudyError) -> ListenAddress? { try value(listen) }

    /// Throws `configuration`.
    public func stateDirectory() throws(UnderstudyError) -> String { try value(state).directory }

    /// Throws `configuration`.
    public func registryDirectory() throws(UnderstudyError) -> String { try value(registry) }

    /// One sentence that warns about errors elsewhere in the file.
    public var warning: String? {
        errors.map { "\($0.summary); the daemon can't start with this file, and only what is needed here was read" }
    }

    private func value<Value>(_ result: Result<Value, ConfigurationErrors>) throws(UnderstudyError) -> Value {
        switch result {
        case .success(let value): return value
        case .failure(let errors): throw errors.summary
        }
    }
}

/// The blocks of a faulty file, each read on its own.
private struct FileParts {
    let path: String
    let environment: [String: String]
    private let bytes: [UInt8]
    /// The file's root mapping; nil if the text as a whole isn't YAML.
    private let root: [YAMLNode.Entry]?

    init(_ bytes: [UInt8], path: String, environment: [String: String]) {
        self.bytes = bytes
        self.path = path
        self.environment = environment
        root = Self.entries(bytes, path: path)
    }

    private static func entries(_ bytes: [UInt8], path: String) -> [YAMLNode.Entry]? {
        let errors = ErrorCollector(path: path, source: SourceText(bytes))
        let node = bytes.withUnsafeBufferPointer { YAMLTree.node(of: $0, errors: errors) }
        guard case .mapping(let entries) = node?.content else { return nil }
        return entries
    }

    /// Returns what `get` reads from settings that hold only the blocks in `names`. Fails with `whole` if one of these
    /// blocks is wrong or can't be separated from the rest.
    func value<Value>(
        of names: [String], whole: ConfigurationErrors, _ get: (Settings) -> Value
    ) -> Result<Value, ConfigurationErrors> {
        var entries: [YAMLNode.Entry] = []
        for name in names {
            guard let found = self.entries(named: name) else { return .failure(whole) }
            entries += found
        }
        let errors = ErrorCollector(path: path, source: SourceText(bytes))
        let span = entries.first?.value.span ?? .none
        let node = YAMLNode(content: .mapping(entries), span: span)
        let context = ReadingContext(file: Settings.block.facts, errors: errors, environment: environment)
        guard let reader = BlockReader(node, as: Settings.block.facts, context: context), errors.isEmpty else {
            return .failure(whole)
        }
        let settings = Settings.block.read(reader) { names.contains($0) }
        return errors.isEmpty ? .success(get(settings)) : .failure(whole)
    }

    /// Returns the top-level entries of this name; a correct file has at most one. Returns nil if the text can't be
    /// read.
    private func entries(named name: String) -> [YAMLNode.Entry]? {
        if let root { return root.filter { $0.name == name } }
        // The text as a whole isn't YAML. A block begins at a line start and ends before the next line that begins one.
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard let first = lines.firstIndex(where: { $0.starts(with: Array("\(name):".utf8)) }) else { return [] }
        let rest = lines[(first + 1)...]
        let blanks = Set(" \t\r#".utf8)
        let end = rest.firstIndex { line in line.first.map { !blanks.contains($0) } ?? false } ?? lines.endIndex
        let part = Array(lines[first..<end].joined(separator: [UInt8(ascii: "\n")])) + [UInt8(ascii: "\n")]
        return Self.entries(part, path: path)
    }
}
