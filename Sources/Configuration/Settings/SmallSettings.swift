/// The models.
public struct ModelSettings: SettingsBlock {
    /// The origin of a model.
    public enum Model: Sendable, Equatable {
        /// The model shipped with the program.
        case bundled
        /// A model directory, or a link to one.
        case directory(String)
    }

    public var student = Model.bundled
    /// nil: the student answers alone.
    public var teacher: Model?

    public init() {}

    /// The models if the file has no `models` block.
    public static let bundledPair: ModelSettings = {
        var models = ModelSettings()
        models.teacher = .bundled
        return models
    }()

    package static let block = Block<ModelSettings>("models", "Models that classify the lines.") {
        BlockOption(
            "student", .path, at: \.student.path, absent: "the bundled student",
            example: "/var/lib/understudy/students/current", reload: .models,
            "Model directory of the student, or the registry's link to it. The daemon switches when the link changes.")
        BlockOption(
            "teacher", .path, at: \.teacherPath, absent: "no teacher; the student answers alone",
            example: "/usr/share/understudy/models/teacher", reload: .teacher,
            "Model directory of the teacher. Its labels must be those of the student.")
    }

    private var teacherPath: String? {
        get { teacher?.path }
        set { teacher = newValue.map { .directory($0) } }
    }
}

extension ModelSettings.Model {
    /// nil for the bundled model.
    fileprivate var path: String? {
        get { if case .directory(let path) = self { path } else { nil } }
        set { self = newValue.map { .directory($0) } ?? .bundled }
    }
}

/// Directory of the state, and how often progress is committed.
public struct StateSettings: SettingsBlock {
    public var directory = "/var/lib/understudy"
    /// Interval of the commits, which make answers durable and mark lines as done.
    public var commitIntervalMilliseconds = 200

    public init() {}

    package static let block = Block<StateSettings>(
        "state", "Directory of the state, and how often progress is made durable."
    ) {
        BlockOption(
            "directory", .path, at: \.directory, variable: "STATE_DIRECTORY", reload: .restart,
            "Directory of the checkpoints, the disagreement log and the student registry. If systemd sets "
                + "$STATE_DIRECTORY, its value is the default.")
        BlockOption(
            "commit_interval_milliseconds", .count(1...60_000, .milliseconds), at: \.commitIntervalMilliseconds,
            reload: .restart,
            "Milliseconds between two commits. A longer interval delays the output; a shorter one writes to the disk "
                + "more often.")
    }

    package func check(_ reader: BlockReader) {
        let span = reader.node("directory")?.span ?? .none
        reader.context.claims.add(
            PathClaim(owner: "the state directory", use: .keepsState, path: directory, span: span))
    }
}

/// Retention of the disagreement log.
public struct DisagreementSettings: SettingsBlock {
    public var keepDays = 90
    public var keepRows = 1_000_000

    public init() {}

    package static let block = Block<DisagreementSettings>(
        "disagreements", "Retention of the disagreement log, which records the lines that the teacher saw."
    ) {
        BlockOption(
            "keep_days", .count(1...36_500, .days), at: \.keepDays, reload: .restart,
            "Maximum age of a row, in days. 90 days cover a quarter.")
        BlockOption(
            "keep_rows", .count(1...1_000_000_000, .rows), at: \.keepRows, reload: .restart,
            "Maximum number of rows; the oldest are deleted first. A million headlines take less than a gigabyte.")
    }
}

/// The file for lines that can't be classified, each with its reason.
public struct DeadLetterSettings: SettingsBlock {
    public var path = ""
    /// Mode bits of the file when it is created, at most 0o777.
    public var permissions: UInt32 = 0o640

    public init() {}

    package static let block = Block<DeadLetterSettings>(
        "dead_letter", "Where lines that can't be classified are written.",
        restart: "permissions of dead_letter change"
    ) {
        BlockOption(
            required: "path", .path, at: \.path, example: "/var/log/understudy/dead.jsonl", reload: .sink,
            "File for refused lines, each with its reason.")
        BlockOption(
            "permissions", .permissions, at: \.permissions, reload: .sinkFile,
            "Mode of the file when it is created, in octal digits. By default the group may read it and others may not."
        )
    }

    package func check(_ reader: BlockReader) {
        guard !path.isEmpty else { return }
        reader.context.claims.add(
            PathClaim(owner: "dead_letter", use: .writes, path: path, span: reader.span(of: "path")))
    }
}

/// How the daemon stops.
public struct ShutdownSettings: SettingsBlock {
    /// Maximum time to answer the lines already read.
    public var drainSeconds = 60

    public init() {}

    package static let block = Block<ShutdownSettings>("shutdown", "How the daemon stops.") {
        BlockOption(
            "drain_seconds", .count(1...3600, .seconds), at: \.drainSeconds, reload: .live,
            "Seconds to answer the lines already read before the daemon exits. The default is enough for a full teacher "
                + "queue and less than the 90 seconds after which systemd kills the daemon.")
    }
}

/// Logging.
public struct LogSettings: SettingsBlock {
    public var level = LogLevel.info

    public init() {}

    package static let block = Block<LogSettings>("log", "Logging.") {
        BlockOption(
            "level", .choice, at: \.level, reload: .live,
            "Least severe level that is logged. `info` logs starts, stops and changes, and nothing per line.")
    }
}

/// HTTP server for metrics, health and status.
public struct HTTPSettings: SettingsBlock {
    public var listen = ListenAddress.unix(path: "")

    public init() {}

    package static let block = Block<HTTPSettings>("http", "HTTP server for metrics, health and status.") {
        BlockOption(
            required: "listen", .address, at: \.listen, example: "127.0.0.1:9464", reload: .restart,
            "Address to listen on: `host:port` on the loopback interface, or `unix:` and the path of a socket.")
    }

    package func check(_ reader: BlockReader) {
        guard case .unix(let path) = listen, !path.isEmpty else { return }
        reader.context.claims.add(
            PathClaim(owner: "http", use: .isSpecial, path: path, span: reader.span(of: "listen")))
    }
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
