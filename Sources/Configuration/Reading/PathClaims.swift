/// Finds paths that are used in two ways that can't be true at once.
struct PathClaims {
    private var claims: [PathClaim] = []

    mutating func add(_ claim: PathClaim) { claims.append(claim) }

    /// Reports each claim that doesn't go with another one, at the later of the two.
    func check(reportingTo errors: ErrorCollector) {
        let ordered = claims.sorted { $0.span.start < $1.span.start }
        var owners: [String: PathClaim] = [:]
        for (index, claim) in ordered.enumerated() {
            let others = ordered[..<index]
            if let other = claim.paths.lazy.compactMap({ owners[$0] }).first {
                // Several sources may move their files to one place.
                if claim.use != .takesFiles || other.use != .takesFiles {
                    errors.add("\(claim.owner) has the path of \(other.title)", at: claim.span)
                }
            } else if let other = others.first(where: { Self.overlap($0, claim) }) {
                errors.add(
                    "\(claim.owner) may write to the file of \(other.title)", at: claim.span,
                    hint: "let one of them write elsewhere")
            } else if let problem = others.lazy.compactMap({ Self.problem($0, claim) }).first {
                errors.add(problem, at: claim.span)
            }
            for path in claim.paths where owners[path] == nil { owners[path] = claim }
        }
    }

    /// Whether one writes to a file that the other may write to, for some label.
    private static func overlap(_ one: PathClaim, _ other: PathClaim) -> Bool {
        guard one.use == .writes, other.use == .writes else { return false }
        return one.mayWrite(to: other.paths) || other.mayWrite(to: one.paths)
    }

    /// What is wrong when one of two claims reads files that the other makes, or both read the same.
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

    /// `path` from `directory` on; nil when it isn't below.
    private static func name(of path: String, in directory: String) -> String? {
        let base = directory.hasSuffix("/") ? directory : directory + "/"
        guard path.hasPrefix(base) else { return nil }
        return String(path.dropFirst(base.count))
    }

    /// Without `.`, `..` and double slashes, by the text alone: links aren't followed.
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
