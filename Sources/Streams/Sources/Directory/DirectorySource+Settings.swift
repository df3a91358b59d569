extension DirectorySource {
    /// What a directory source does, as configured.
    public struct Settings: Sendable, Equatable {
        public enum Mode: Sendable, Equatable {
            /// Each file is read once, when it is whole.
            case files
            /// Growing files are followed.
            case tail
        }

        /// What becomes of a file once every line of it is answered; of `files` only.
        public enum After: Sendable, Equatable {
            case keep
            /// Into this directory, under its path relative to the watched one, with a number behind if that is taken.
            case move(to: String)
            case delete
        }

        /// Where the files begin that are there at a source's very first start; of `tail` only. In one of more than
        /// 256 MiB whose end is where reading begins, the lines are numbered from there.
        public enum Start: Sendable, Equatable {
            case beginning, end
        }

        public var name: String
        public var path: String
        public var mode: Mode
        /// Glob patterns (fnmatch(3)) on the path relative to `path`; no `include` takes every name.
        public var include: [String]
        public var exclude: [String]
        public var recursive: Bool
        public var after: After
        public var start: Start
        /// How often the directory is looked at while inotify can't watch it.
        public var pollSeconds: Double
        /// The longest line that is taken, in bytes; the framer sees to it, and nothing longer is looked back for.
        public var maximumLineBytes: Int
        /// Of UTF-16, lines and the byte order of each file are known; what else it is doesn't matter here.
        public var encoding: TextEncoding

        public init(
            name: String, path: String, mode: Mode = .files, include: [String] = [], exclude: [String] = [],
            recursive: Bool = false, after: After = .keep, start: Start = .beginning, pollSeconds: Double = 2,
            maximumLineBytes: Int = LineFramer.defaultMaximumLineBytes, encoding: TextEncoding = .utf8
        ) {
            self.name = name
            self.path = path
            self.mode = mode
            self.include = include
            self.exclude = exclude
            self.recursive = recursive
            self.after = after
            self.start = start
            self.pollSeconds = pollSeconds
            self.maximumLineBytes = maximumLineBytes
            self.encoding = encoding
        }

        /// Without slashes at the ends of paths, and without a way to clear away files that are followed.
        var withPlainPaths: Settings {
            var plain = self
            plain.path = Self.plain(path)
            if case .move(let directory) = after { plain.after = .move(to: Self.plain(directory)) }
            if mode == .tail { plain.after = .keep }
            return plain
        }

        private static func plain(_ path: String) -> String {
            var end = path.endIndex
            while end > path.startIndex, path[path.index(before: end)] == "/" { end = path.index(before: end) }
            return end == path.startIndex && !path.isEmpty ? "/" : String(path[..<end])
        }
    }
}
