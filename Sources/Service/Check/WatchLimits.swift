import Configuration
import Foundation

/// Whether the kernel's limits suffice for the watched directories (inotify(7), /proc/sys/fs/inotify).
enum WatchLimits {
    static func findings(_ settings: Settings) -> [Finding] {
        let watched = settings.sources.compactMap { source -> DirectorySettings? in
            if case .directory(let directory) = source.kind { return directory }
            return nil
        }
        guard !watched.isEmpty else { return [] }
        var findings: [Finding] = []
        let directories = watched.reduce(0) { $0 + ($1.recursive ? count(under: $1.path) : 1) }
        if let most = limit("max_user_watches"), directories * 2 > most {
            findings.append(
                Finding(
                    .warning, "fs.inotify.max_user_watches",
                    "is \(most), and \(directories) directories are to be watched; raise it with sysctl, or they are"
                        + " looked at every poll_seconds instead"))
        }
        // A source takes one instance; streams and the student's link take some more.
        if let most = limit("max_user_instances"), settings.sources.count + 8 > most {
            findings.append(
                Finding(
                    .warning, "fs.inotify.max_user_instances",
                    "is \(most) for all of this user's programs; raise it with sysctl, or directories are looked at"
                        + " every poll_seconds instead"))
        }
        return findings
    }

    private static func limit(_ name: String) -> Int? {
        let path = "/proc/sys/fs/inotify/\(name)"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        return Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Directories at and under `path`.
    private static func count(under path: String) -> Int {
        let keys: [URLResourceKey] = [.isDirectoryKey]
        let found = FileManager.default.enumerator(at: URL(fileURLWithPath: path), includingPropertiesForKeys: keys)
        var count = 1
        while let url = found?.nextObject() as? URL {
            if (try? url.resourceValues(forKeys: Set(keys)))?.isDirectory == true { count += 1 }
        }
        return count
    }
}
