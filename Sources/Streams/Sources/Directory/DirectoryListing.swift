import Diagnostics
import Glibc

/// The present content of a directory.
struct DirectoryListing {
    struct Entry {
        var path: String
        var status: FileStatus
    }

    var files: [Entry] = []
    var directories: [String] = []
    /// Symbolic links; their targets weren't examined.
    var links: [String] = []
    /// Existing names that couldn't be examined.
    var unknown: [(path: String, why: CannotTell)] = []
    /// Whether a name isn't UTF-8: such a name can't be written in a configuration, a log or a status page.
    var hasUnreadableName = false

    /// nil if the directory doesn't exist.
    init?(of directory: String, _ calls: DirectoryCalls) throws(CannotTell) {
        var names: [String] = []
        var hasUnreadableName = false
        let number = calls.list(directory) { bytes in
            if let name = String(validating: bytes, as: UTF8.self) {
                names.append(name)
            } else {
                hasUnreadableName = true
            }
        }
        switch number {
        case 0: break
        case ENOENT, ENOTDIR: return nil
        default: throw CannotTell(number: number)
        }
        self.hasUnreadableName = hasUnreadableName
        for name in names where name != "." && name != ".." {
            let path = directory + "/" + name
            do throws(CannotTell) {
                // If the name was removed meanwhile, the watch reports it.
                guard let status = try FileStatus(path: path, calls) else { continue }
                if status.isDirectory {
                    directories.append(path)
                } else if status.isRegular {
                    files.append(Entry(path: path, status: status))
                } else if status.isLink {
                    links.append(path)
                }
            } catch {
                unknown.append((path, error))
            }
        }
    }
}

/// Selects names of a directory by glob patterns on the path relative to it.
package struct NameFilter: Sendable {
    /// Endings that editors and transfer tools give to incomplete files.
    private static let unfinishedEndings = [".tmp", "~", ".swp", ".part"]

    private let include: [String]
    private let exclude: [String]

    /// Patterns as in fnmatch(3); `*` also matches `/`. An empty `include` accepts every name.
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

    /// Whether the name, or the name of one of its directories, starts with a dot.
    package static func isHidden(_ name: String) -> Bool {
        name.split(separator: "/").contains { $0.hasPrefix(".") }
    }

    private static func matches(_ pattern: String, _ name: String) -> Bool {
        fnmatch(pattern, name, 0) == 0
    }
}

/// Which paths below a source's directory are read.
struct WatchedPaths {
    private let root: String
    private let done: String?
    private let filter: NameFilter

    init(_ settings: DirectorySource.Settings) {
        root = settings.path
        done = if case .move(let directory) = settings.after { directory } else { nil }
        filter = NameFilter(include: settings.include, exclude: settings.exclude)
    }

    func takes(_ path: String) -> Bool { filter.takes(relative(path)) }

    /// Whether files below `path` are accepted.
    func takesDirectory(_ path: String) -> Bool { path != done && !NameFilter.isHidden(relative(path)) }

    /// `path` as the patterns match it.
    private func relative(_ path: String) -> String { String(path.dropFirst(root.count + 1)) }
}
