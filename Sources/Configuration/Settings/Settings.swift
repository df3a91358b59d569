/// A complete configuration: checked, and with all defaults.
///
/// The parts are `Equatable`, so that a reload can determine which of them changed.
public struct Settings: Sendable, Equatable {
    public var models: ModelSettings
    public var cascade: CascadeSettings
    /// At least one; the names are unique.
    public var sources: [SourceSettings]
    /// At least one; the names are unique.
    public var sinks: [SinkSettings]
    /// nil: refused lines are only counted.
    public var deadLetter: DeadLetterSettings?
    public var state: StateSettings
    public var shutdown: ShutdownSettings
    public var disagreements: DisagreementSettings
    /// nil: the student is never retrained.
    public var redistill: RedistillSettings?
    /// Address of the HTTP server for metrics, health and status; nil: no server.
    public var http: ListenAddress?
    public var logLevel: LogLevel
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

/// The models.
public struct ModelSettings: Sendable, Equatable {
    /// The origin of a model.
    public enum Model: Sendable, Equatable {
        /// The model shipped with the program.
        case bundled
        /// A model directory, or a link to one.
        case directory(String)
    }

    public var student: Model
    /// nil: the student answers alone.
    public var teacher: Model?

    /// The models if the file has no `models` block.
    public static let bundledPair = ModelSettings(student: .bundled, teacher: .bundled)
}

/// Directory of the state, and how often progress is committed.
public struct StateSettings: Sendable, Equatable {
    public var directory: String
    /// Interval of the commits, which make answers durable and mark lines as done.
    public var commitIntervalMilliseconds: Int
}

/// Retention of the disagreement log.
public struct DisagreementSettings: Sendable, Equatable {
    public var keepDays: Int
    public var keepRows: Int
}

/// The file for lines that can't be classified, each with its reason.
public struct DeadLetterSettings: Sendable, Equatable {
    public var path: String
    /// Mode bits of the file when it is created, at most 0o777.
    public var permissions: UInt32
}

/// How the daemon stops.
public struct ShutdownSettings: Sendable, Equatable {
    /// Maximum time to answer the lines already read.
    public var drainSeconds: Int
}

/// Least severe level that is logged.
public enum LogLevel: String, Sendable, CaseIterable {
    case trace
    case debug
    case info
    case notice
    case warning
    case error
}

/// Address of the HTTP server. It is reachable only from this machine.
public enum ListenAddress: Sendable, Equatable {
    /// `host` is an address of the loopback interface (127.0.0.0/8 or ::1, without brackets) or `localhost`.
    case loopback(host: String, port: UInt16)
    /// A Unix socket.
    case unix(path: String)
}

extension ListenAddress: CustomStringConvertible {
    /// The form of the configuration file: `127.0.0.1:9464`, `[::1]:9464` or `unix:/path`.
    public var description: String {
        switch self {
        case .loopback(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
