/// One source of lines.
public struct SourceSettings: Sendable, Equatable {
    public enum Encoding: String, Sendable, CaseIterable {
        case utf8 = "utf-8"
        case gb18030
        case big5
        case utf16 = "utf-16"
        case utf16LittleEndian = "utf-16le"
        case utf16BigEndian = "utf-16be"

        /// Whether line ends take two bytes. Only sources that know the offsets of their bytes can find them.
        var isUTF16: Bool {
            switch self {
            case .utf8, .gb18030, .big5: false
            case .utf16, .utf16LittleEndian, .utf16BigEndian: true
            }
        }
    }

    public enum Kind: Sendable, Equatable {
        /// Standard input; nil: lines aren't written ahead.
        case stdin(SpoolSettings?)
        case fifo(FIFOSettings)
        case directory(DirectorySettings)
    }

    /// Unique among the sources.
    public var name: String
    public var input: InputSettings
    public var encoding: Encoding
    /// Maximum length of a line in bytes, without the line end. Longer lines are refused.
    public var maximumLineBytes: Int
    /// Whether answers keep the order of the lines.
    public var ordered: Bool
    public var kind: Kind
}

/// The format of a line.
public enum InputSettings: Sendable, Equatable {
    /// The line is the text.
    case line
    /// The line is a JSON object with the text in the named field.
    case jsonl(field: String)
    /// The line has tab-separated columns, counted from 1.
    case tsv(column: Int)
}

/// A named pipe to read from.
public struct FIFOSettings: Sendable, Equatable {
    public var path: String
    /// Mode bits of the pipe when it is created, at most 0o777.
    public var permissions: UInt32
    /// nil: no spool.
    public var spool: SpoolSettings?
}

/// Lines of a stream are written to a spool in the state directory, so that they survive a kill.
public struct SpoolSettings: Sendable, Equatable {
    /// Maximum bytes of unanswered lines; at the limit the source waits.
    public var maximumBytes: Int
}

/// A directory whose files are read.
public struct DirectorySettings: Sendable, Equatable {
    public enum Mode: Sendable, Equatable {
        /// Each file is read once, when it is complete.
        case files(after: After)
        /// Growing files are followed through rotation.
        case tail(start: Start)
    }

    /// What is done with a file once its last answer is durable.
    public enum After: Sendable, Equatable {
        case keep
        /// It is moved to this directory.
        case move(to: String)
        case delete
    }

    /// Where to start in files that exist at the very first start.
    public enum Start: String, Sendable, CaseIterable {
        case beginning
        case end
    }

    public var path: String
    public var mode: Mode
    /// Patterns (fnmatch(3) without flags) for the path below the directory. One must match.
    public var include: [String]
    /// Patterns of files to ignore. They take precedence over `include`.
    public var exclude: [String]
    /// Whether subdirectories are read as well.
    public var recursive: Bool
    /// Interval of scans when inotify can't watch the directory.
    public var pollSeconds: Int
}
