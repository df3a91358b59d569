import Glibc

/// Which names of a directory are taken, by glob patterns on the path relative to it.
package struct NameFilter: Sendable {
    /// What editors and transfer tools call files that aren't whole yet.
    private static let unfinishedEndings = [".tmp", "~", ".swp", ".part"]

    private let include: [String]
    private let exclude: [String]

    /// Patterns as fnmatch(3) has them; `*` also stands for `/`. No `include` at all takes every name.
    package init(include: [String], exclude: [String]) {
        self.include = include
        self.exclude = exclude
    }

    /// `name` is relative to the watched directory: `a.txt`, `sports/a.txt`.
    package func takes(_ name: String) -> Bool {
        guard !Self.isHidden(name), !Self.unfinishedEndings.contains(where: name.hasSuffix) else { return false }
        guard include.isEmpty || include.contains(where: { Self.matches($0, name) }) else { return false }
        return !exclude.contains { Self.matches($0, name) }
    }

    /// Whether the name, or that of a directory in it, starts with a dot.
    package static func isHidden(_ name: String) -> Bool {
        name.split(separator: "/").contains { $0.hasPrefix(".") }
    }

    private static func matches(_ pattern: String, _ name: String) -> Bool {
        fnmatch(pattern, name, 0) == 0
    }
}
