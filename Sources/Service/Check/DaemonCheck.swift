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
        for source in settings.sources { check(source, &paths) }
        for sink in settings.sinks { check(sink, &paths) }
        if let letter = settings.deadLetter { paths.appends(letter.path) }
        paths.keeps(directory: settings.state.directory, withParents: true)
        if case .unix(let path) = settings.http { paths.listens(path) }
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

    private static func check(_ source: SourceSettings, _ paths: inout PathCheck) {
        switch source.kind {
        case .stdin: break
        case .fifo(let fifo): paths.pipes(fifo.path, mode: R_OK | W_OK)
        case .directory(let directory):
            var changes = false
            if case .files(let after) = directory.mode {
                changes = after != .keep
                if case .move(let done) = after { paths.keeps(directory: done) }
            }
            paths.reads(directory: directory.path, writes: changes)
        }
    }

    private static func check(_ sink: SinkSettings, _ paths: inout PathCheck) {
        switch sink.kind {
        case .stdout: break
        case .file(let file, _):
            if let brace = file.path.firstIndex(of: "{") {
                let fixed = file.path[..<brace]
                let directory = fixed.lastIndex(of: "/").map { String(fixed[..<$0]) } ?? "."
                paths.keeps(directory: directory.isEmpty ? "/" : directory)
            } else {
                paths.appends(file.path)
            }
        case .fifo(let path, _, _): paths.pipes(path, mode: W_OK)
        case .socket(let path, _): paths.connects(path)
        case .journald:
            if access("/run/systemd/journal/socket", W_OK) != 0 {
                paths.add(.warning, "sink '\(sink.name)'", "the journal isn't running here; answers wait until it is")
            }
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

/// The result of a check.
public struct Finding: Sendable, Equatable, CustomStringConvertible {
    public enum Severity: String, Sendable {
        /// The daemon won't start, or won't do a part of its work.
        case error
        /// The daemon will start, but there is a problem.
        case warning
        /// Normal before the first start.
        case note
    }

    public var severity: Severity
    /// The checked path or option name.
    public var place: String
    /// One sentence with the problem and the remedy.
    public var message: String

    public init(_ severity: Severity, _ place: String, _ message: String) {
        self.severity = severity
        self.place = place
        self.message = message
    }

    public var description: String { "\(severity.rawValue): \(place): \(message)" }
}
