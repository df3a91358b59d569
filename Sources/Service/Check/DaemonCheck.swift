import Cascade
import Configuration
import Diagnostics
import Glibc
import Models
import Store
import Streams

/// Checks everything that a daemon with these settings will need, as the user that runs the check.
public enum DaemonCheck {
    /// Returns all findings. Without an error among them the daemon can start.
    public static func run(_ settings: Settings, supply: ModelSupply) -> [Finding] {
        var findings = models(settings, supply)
        var paths = PathCheck()
        for source in settings.sources { source.kind.check(&paths) }
        for sink in settings.sinks { sink.kind.check(&paths, sink: sink.name) }
        if let letter = settings.deadLetter { paths.appends(letter.path) }
        paths.keeps(directory: settings.state.directory, withParents: true)
        if case .unix(let path) = settings.http?.listen { paths.listens(path) }
        if let redistill = settings.redistill {
            paths.reads(file: redistill.train)
            paths.reads(file: redistill.holdout)
            paths.keeps(directory: settings.registryDirectory)
        }
        findings += paths.findings
        findings += state(settings.state.directory)
        findings += WatchLimits.findings(settings)
        return findings
    }

    /// Loads and runs both models, and compares their labels with each other and with the sinks' filters.
    private static func models(_ settings: Settings, _ supply: ModelSupply) -> [Finding] {
        do throws(UnderstudyError) {
            let set = try ModelSet.load(settings, supply: supply)
            try set.warm(teacherMayFail: false) { _ in }
            try ReloadPlan.checkLabels(of: settings, set.models.student.labels)
            return DescriptorLimits.findings(settings, labels: set.models.student.labels.count)
        } catch {
            return [Finding(.error, error.place ?? "models", error.message)]
        }
    }

    /// Checks that an existing state can be read.
    private static func state(_ directory: String) -> [Finding] {
        do throws(UnderstudyError) {
            // A dangling link counts as existing: the daemon refuses it at the start.
            guard try PathLookup.kind(of: directory + "/state.sqlite", following: false) != .absent else { return [] }
            let store = try Store.openBeside(directory: directory, readOnly: true) { _ in }
            _ = try store.checkpoints()
            _ = try store.sinkLengths()
            try store.close()
            return []
        } catch {
            let isFatal = error.code == .configuration || error.code == .noPermission
            let severity: Finding.Severity = isFatal ? .error : .warning
            return [Finding(severity, error.place ?? directory, error.message)]
        }
    }
}
