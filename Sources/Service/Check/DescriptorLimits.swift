import Configuration
import Glibc

/// Whether the limit on open files suffices for the configuration (`RLIMIT_NOFILE`, getrlimit(2)).
package enum DescriptorLimits {
    /// Takes what the hard limit allows; called once, before files are opened.
    static func raise() {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        // Far more than is needed costs nothing, but "unlimited" makes other programs' libraries count for long.
        limit.rlim_cur = min(limit.rlim_max, 1 << 19)
        _ = setrlimit(resource, &limit)
    }

    /// The number of files that may be open at a time, after `raise`; nil where it can't be told.
    package static var limit: UInt64? {
        var limit = rlimit()
        return getrlimit(resource, &limit) == 0 ? UInt64(limit.rlim_max) : nil
    }

    /// What the daemon has open beside its outputs: models, state, threads' wakers, sources, connections.
    private static let base = 80

    /// `labels`: how many labels the student has.
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

    /// Files of one sink that may wait for a commit at a time.
    private static func count(_ sink: SinkSettings, _ labels: Int, _ settings: Settings) -> Int {
        guard case .file(let file, _) = sink.kind else { return 1 }
        let wanted = sink.filter.labels.isEmpty ? labels : sink.filter.labels.count
        let sources = sink.filter.sources.isEmpty ? settings.sources.count : sink.filter.sources.count
        var count = 1
        if file.path.contains("{label}") { count *= max(1, wanted) }
        if file.path.contains("{source}") { count *= max(1, sources) }
        // Lines of two days may come in turns around midnight.
        if file.path.contains("{date}") { count *= 2 }
        return count
    }

    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
}
