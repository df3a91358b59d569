import Glibc

/// What a part of the configuration does with a path.
struct PathClaim {
    /// What a directory source reads.
    struct Watch: Equatable {
        var recursive: Bool
        var include: [String]
        var exclude: [String]
    }

    enum Use: Equatable {
        /// A pipe or socket: no file that lines could be read from.
        case isSpecial
        case watches(Watch)
        case writes
        /// A directory that files are moved to.
        case takesFiles
        case keepsState
    }

    /// For messages: `source 'wire'`.
    let owner: String
    let use: Use
    /// Without `.`, `..` and double slashes. May hold `{label}` and `{date}`.
    let paths: [String]
    /// `.none` for a default.
    let span: SourceSpan
    private let patterns: [(start: String, whole: String)]

    init(owner: String, use: Use, paths: [String], span: SourceSpan) {
        self.owner = owner
        self.use = use
        self.paths = paths.map(PathClaims.normalised)
        patterns = self.paths.compactMap(Self.pattern)
        self.span = span
    }

    init(owner: String, use: Use, path: String, span: SourceSpan) {
        self.init(owner: owner, use: use, paths: [path], span: span)
    }
}

extension PathClaim {
    /// For messages: `source 'wire' (line 4)`.
    var title: String { span == .none ? owner : "\(owner) (line \(span.start.line + 1))" }

    /// Whether one of the claim's files is one of `others` for some label.
    func mayWrite(to others: [String]) -> Bool {
        patterns.contains { pattern in
            others.contains { $0.hasPrefix(pattern.start) && fnmatch(pattern.whole, $0, FNM_PATHNAME) == 0 }
        }
    }

    /// For paths with `{label}`: what stands before it, and the whole for fnmatch.
    private static func pattern(_ path: String) -> (start: String, whole: String)? {
        let parts = path.split(separator: "{label}", omittingEmptySubsequences: false)
        guard parts.count > 1 else { return nil }
        return (String(parts[0]), parts.map(literal).joined(separator: "*"))
    }

    /// A pattern that matches nothing but `text`.
    private static func literal(_ text: Substring) -> String {
        String(text.flatMap { "*?[\\".contains($0) ? ["\\", $0] : [$0] })
    }
}

extension PathClaim.Watch {
    /// Whether a file is read that has this path below the directory.
    func takes(_ name: String) -> Bool {
        func matches(_ patterns: [String]) -> Bool { patterns.contains { fnmatch($0, name, 0) == 0 } }
        return !Self.isHidden(name) && matches(include) && !matches(exclude)
    }

    /// Whether the file, or a directory that it is in, has a name with a dot in front.
    static func isHidden(_ name: String) -> Bool {
        name.split(separator: "/").contains { $0.hasPrefix(".") }
    }
}
