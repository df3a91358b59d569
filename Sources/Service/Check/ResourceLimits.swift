import Configuration
import Foundation
import Glibc

/// Checks whether the limit on open files is sufficient for the configuration (`RLIMIT_NOFILE`, getrlimit(2)).
package enum DescriptorLimits {
    /// Raises the soft limit to the hard limit. Called once, before files are opened.
    static func raise() {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        // The cap is far above any need. With "unlimited", some libraries loop over all possible descriptors.
        limit.rlim_cur = min(limit.rlim_max, 1 << 19)
        _ = setrlimit(resource, &limit)
    }

    /// The maximum number of open files after `raise`; nil if it can't be determined.
    package static var limit: UInt64? {
        var limit = rlimit()
        return getrlimit(resource, &limit) == 0 ? UInt64(limit.rlim_max) : nil
    }

    /// Descriptors open besides the outputs: models, state, wakers of threads, sources, connections.
    private static let base = 80

    /// - Parameter labels: number of the student's labels.
    package static func findings(_ settings: Settings, labels: Int, limit: UInt64? = limit) -> [Finding] {
        guard let limit else { return [] }
        var files = settings.sources.count * 8
        var worst: (name: String, files: Int)?
        for sink in settings.sinks {
            let count = count(sink, labels, settings)
            files += count
            if count > worst?.files ?? 1 { worst = (sink.name, count) }
        }
        guard UInt64(files + base) > limit else { return [] }
        let cause = worst.map { ", \($0.files) of them for sink \($0.name)" } ?? ""
        return [
            Finding(
                .warning, "LimitNOFILE",
                "is \(limit), and up to \(files + base) files may be open at a time\(cause); raise it in the service's unit "
                    + "(ulimit -Hn in a shell), or lines wait for files that can't be opened")
        ]
    }

    /// Returns the maximum number of one sink's files that may wait for a commit.
    private static func count(_ sink: SinkSettings, _ labels: Int, _ settings: Settings) -> Int {
        let wanted = sink.filter.labels.isEmpty ? labels : sink.filter.labels.count
        let sources = sink.filter.sources.isEmpty ? settings.sources.count : sink.filter.sources.count
        return sink.kind.openFiles(labels: wanted, sources: sources)
    }

    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
}

/// Checks whether the kernel's limits are sufficient for the watched directories (inotify(7), /proc/sys/fs/inotify).
enum WatchLimits {
    static func findings(_ settings: Settings) -> [Finding] {
        let watched = settings.sources.compactMap(\.kind.watched)
        guard !watched.isEmpty else { return [] }
        var findings: [Finding] = []
        let directories = watched.reduce(0) { $0 + ($1.isRecursive ? count(under: $1.directory) : 1) }
        if let most = limit("max_user_watches"), directories * 2 > most {
            findings.append(
                Finding(
                    .warning, "fs.inotify.max_user_watches",
                    "is \(most), and \(directories) directories are to be watched; raise it with sysctl, or they are"
                        + " scanned every poll_seconds instead"))
        }
        // Each source uses one instance; streams and the student's link use some more.
        if let most = limit("max_user_instances"), settings.sources.count + 8 > most {
            findings.append(
                Finding(
                    .warning, "fs.inotify.max_user_instances",
                    "is \(most) for all of this user's programs; raise it with sysctl, or directories are scanned"
                        + " every poll_seconds instead"))
        }
        return findings
    }

    private static func limit(_ name: String) -> Int? {
        let path = "/proc/sys/fs/inotify/\(name)"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        return Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Counts `path` and the directories below it.
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
