import Glibc

/// Finds paths with two conflicting uses.
struct PathClaims {
    private var claims: [PathClaim] = []

    mutating func add(_ claim: PathClaim) { claims.append(claim) }

    /// Reports each conflicting pair of claims at the later of the two.
    func check(reportingTo errors: ErrorCollector) {
        let ordered = claims.sorted { $0.span.start < $1.span.start }
        var owners: [String: PathClaim] = [:]
        for (index, claim) in ordered.enumerated() {
            let others = ordered[..<index]
            if let other = claim.paths.lazy.compactMap({ owners[$0] }).first {
                // Several sources may move their files to the same directory.
                if claim.use != .takesFiles || other.use != .takesFiles {
                    errors.add("\(claim.owner) has the path of \(other.title)", at: claim.span)
                }
            } else if let other = others.first(where: { Self.overlap($0, claim) }) {
                errors.add(
                    "\(claim.owner) may write to the file of \(other.title)", at: claim.span,
                    hint: "change one of the paths")
            } else if let problem = others.lazy.compactMap({ Self.problem($0, claim) }).first {
                errors.add(problem, at: claim.span)
            }
            for path in claim.paths where owners[path] == nil { owners[path] = claim }
        }
    }

    /// Returns whether both claims may write to the same file, for some label.
    private static func overlap(_ one: PathClaim, _ other: PathClaim) -> Bool {
        guard one.use == .writes, other.use == .writes else { return false }
        return one.mayWrite(to: other.paths) || other.mayWrite(to: one.paths)
    }

    /// Returns the conflict between two claims if one reads files that the other creates, or both read the same files.
    private static func problem(_ one: PathClaim, _ other: PathClaim) -> String? {
        problem(watcher: one, other) ?? problem(watcher: other, one)
    }

    private static func problem(watcher: PathClaim, _ other: PathClaim) -> String? {
        guard case .watches(let watch) = watcher.use, let directory = watcher.paths.first else { return nil }
        let isInside = other.paths.contains { path in
            guard let name = name(of: path, in: directory) else { return false }
            switch other.use {
            case .writes: return (watch.recursive || !name.contains("/")) && watch.takes(name)
            case .isSpecial: return false
            case .watches, .takesFiles, .keepsState: return watch.recursive && !PathClaim.Watch.isHidden(name)
            }
        }
        guard isInside else { return nil }
        switch other.use {
        case .watches:
            return "\(other.owner) is in the directory of \(watcher.title), which is recursive: both would read it"
        case .takesFiles, .keepsState:
            return "\(other.owner) is in the directory of \(watcher.title), which would read its files"
        default: return "\(other.owner) writes into the directory of \(watcher.title), which would read it as lines"
        }
    }

    /// Returns the part of `path` below `directory`; nil if it isn't below.
    private static func name(of path: String, in directory: String) -> String? {
        let base = directory.hasSuffix("/") ? directory : directory + "/"
        guard path.hasPrefix(base) else { return nil }
        return String(path.dropFirst(base.count))
    }

    /// Removes `.`, `..` and double slashes textually. It doesn't resolve links.
    static func normalised(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else if part != ".." || !path.hasPrefix("/") {
                parts.append(part)
            }
        }
        return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }
}

/// A use of a path by a part of the configuration.
struct PathClaim {
    /// The files that a directory source reads.
    struct Watch: Equatable {
        var recursive: Bool
        var include: [String]
        var exclude: [String]
    }

    enum Use: Equatable {
        /// A pipe or socket, from which a directory source can't read lines.
        case isSpecial
        case watches(Watch)
        case writes
        /// A directory that files are moved to.
        case takesFiles
        case keepsState
    }

    /// The owner in messages: `source 'wire'`.
    let owner: String
    let use: Use
    /// Paths without `.`, `..` and double slashes. They may contain `{label}` and `{date}`.
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
    /// The owner with its line: `source 'wire' (line 4)`.
    var title: String { span == .none ? owner : "\(owner) (line \(span.start.line + 1))" }

    /// Returns whether one of the claim's files is one of `others`, for some label.
    func mayWrite(to others: [String]) -> Bool {
        patterns.contains { pattern in
            others.contains { $0.hasPrefix(pattern.start) && fnmatch(pattern.whole, $0, FNM_PATHNAME) == 0 }
        }
    }

    /// Returns the text before `{label}`, and the whole path as an fnmatch(3) pattern.
    private static func pattern(_ path: String) -> (start: String, whole: String)? {
        let parts = path.split(separator: "{label}", omittingEmptySubsequences: false)
        guard parts.count > 1 else { return nil }
        return (String(parts[0]), parts.map(literal).joined(separator: "*"))
    }

    /// Returns a pattern that matches only `text`.
    private static func literal(_ text: Substring) -> String {
        String(text.flatMap { "*?[\\".contains($0) ? ["\\", $0] : [$0] })
    }
}

extension PathClaim.Watch {
    /// Returns whether the source reads a file with this path below the directory.
    func takes(_ name: String) -> Bool {
        func matches(_ patterns: [String]) -> Bool { patterns.contains { fnmatch($0, name, 0) == 0 } }
        return !Self.isHidden(name) && matches(include) && !matches(exclude)
    }

    /// Returns whether the name of the file, or of a directory above it, starts with a dot.
    static func isHidden(_ name: String) -> Bool {
        name.split(separator: "/").contains { $0.hasPrefix(".") }
    }
}
