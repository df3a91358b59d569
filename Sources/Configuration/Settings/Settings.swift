/// A complete configuration: checked, and with all defaults.
public struct Settings: SettingsBlock {
    public var models = ModelSettings.bundledPair
    public var cascade = CascadeSettings()
    /// At least one; the names are unique.
    public var sources: [SourceSettings] = []
    /// At least one; the names are unique.
    public var sinks: [SinkSettings] = []
    /// nil: refused lines are only counted.
    public var deadLetter: DeadLetterSettings?
    public var state = StateSettings()
    public var shutdown = ShutdownSettings()
    public var disagreements = DisagreementSettings()
    /// nil: the student is never retrained.
    public var redistill: RedistillSettings?
    /// nil: no server.
    public var http: HTTPSettings?
    public var log = LogSettings()

    public init() {}

    /// All blocks, in the order of printing.
    package static let block = Block<Settings>("the configuration", "The whole file.") {
        InnerBlock(at: \.models, absent: .bundledPair, "the bundled student and the bundled teacher")
        InnerBlock(at: \.cascade)
        InnerBlock(list: \.sources, of: "source")
        InnerBlock(list: \.sinks, of: "sink")
        InnerBlock(at: \.deadLetter, absent: "refused lines are only counted")
        InnerBlock(at: \.state)
        InnerBlock(at: \.shutdown)
        InnerBlock(at: \.disagreements)
        InnerBlock(at: \.redistill, absent: "the student is never retrained")
        InnerBlock(at: \.http, absent: "nothing is served")
        InnerBlock(at: \.log)
    }
}

/// Where students are loaded from.
extension Settings {
    /// The registry, which holds the student versions: `redistill.registry`, else the parent directory of a
    /// `models.student` named `current`, else `students` in the state directory.
    public var registryDirectory: String {
        if let named = redistill?.registry { return named }
        if case .directory(let path) = models.student, let parent = Self.parent(ofCurrent: path) { return parent }
        return state.directory + "/students"
    }

    /// The link that a promotion changes.
    public var registryLink: String { registryDirectory + "/" + Self.current }

    /// The path whose change replaces the serving student; nil if it can't change.
    public var followedStudent: String? {
        if redistill != nil { return registryLink }
        if case .directory(let path) = models.student { return path }
        return nil
    }

    /// Returns the student to serve. With re-distillation that is the registry's, or `models.student` until there is
    /// one; without, it is `models.student`.
    public func servingStudent(linkExists: Bool) -> ModelSettings.Model {
        guard redistill != nil else { return models.student }
        return linkExists ? .directory(registryLink) : configuredStudent ?? .bundled
    }

    /// The student that serves while the registry has no version; nil if only the registry's link is configured.
    public var configuredStudent: ModelSettings.Model? {
        guard case .directory(let path) = models.student, isRegistryLink(path) else { return models.student }
        return redistill == nil ? nil : .bundled
    }

    /// Returns whether a path is the registry's link.
    public func isRegistryLink(_ path: String) -> Bool { Self.trimmed(path) == Self.trimmed(registryLink) }

    private static let current = "current"

    private static func parent(ofCurrent path: String) -> String? {
        let path = trimmed(path)
        guard path.hasSuffix("/" + current) else { return nil }
        let parent = path.dropLast(current.count + 1)
        return parent.isEmpty ? "/" : String(parent)
    }

    private static func trimmed(_ path: String) -> Substring {
        var path = path[...]
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
