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
    let span: SourceSpan

    init(owner: String, use: Use, paths: [String], span: SourceSpan) {
        self.owner = owner
        self.use = use
        self.paths = paths.map(PathClaims.normalised)
        self.span = span
    }

    init(owner: String, use: Use, path: String, span: SourceSpan) {
        self.init(owner: owner, use: use, paths: [path], span: span)
    }
}

extension PathClaim {
    /// For messages: `source 'wire' (line 4)`.
    var title: String { "\(owner) (line \(span.start.line + 1))" }

    /// Whether one of the claim's files is one of `others` for some label.
    func mayWrite(to others: [String]) -> Bool {
        let label = "{label}"
        for path in paths where path.contains(label) {
            let parts = path.split(separator: label, omittingEmptySubsequences: false).map(Self.literal)
            let pattern = parts.joined(separator: "*")
            if others.contains(where: { fnmatch(pattern, $0, FNM_PATHNAME) == 0 }) { return true }
        }
        return false
    }

    /// A pattern that matches nothing but `text`.
    private static func literal(_ text: Substring) -> String {
        String(text.flatMap { "*?[\\".contains($0) ? ["\\", $0] : [$0] })
    }
}

extension PathClaim.Watch {
    /// Whether a file of this path is read, by its name.
    func takes(_ path: String) -> Bool {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        if name.hasPrefix(".") || name.hasSuffix(".tmp") { return false }
        func matches(_ patterns: [String]) -> Bool { patterns.contains { fnmatch($0, name, 0) == 0 } }
        return matches(include) && !matches(exclude)
    }
}
