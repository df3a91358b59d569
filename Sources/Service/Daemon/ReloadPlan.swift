import Configuration
import Diagnostics

/// The steps from one configuration to another.
package struct ReloadPlan: Sendable, Equatable {
    /// Names of sources that end, including those that restart with other settings.
    package var removedSources: [String] = []
    package var addedSources: [SourceSettings] = []
    /// Sources with the name or the path of an ending one, which must have ended before they start.
    package var changedSources: [SourceSettings] = []
    package var modelsChange = false
    package var teacherChanges = false
    /// Sentences about settings that require a restart.
    package var restartNeeded: [String] = []

    package init(from old: Settings, to new: Settings) {
        for source in old.sources where !new.sources.contains(source) { removedSources.append(source.name) }
        for source in new.sources where !old.sources.contains(source) {
            if old.sources.contains(where: { $0.readsWhere(source) }) {
                changedSources.append(source)
            } else {
                addedSources.append(source)
            }
        }
        teacherChanges = old.models.teacher != new.models.teacher
        modelsChange =
            old.models != new.models || old.cascade.policy != new.cascade.policy
            || old.cascade.threshold != new.cascade.threshold || old.cascade.auditShare != new.cascade.auditShare
            || old.redistill?.holdout != new.redistill?.holdout || old.followedStudent != new.followedStudent
        if old.state != new.state { restartNeeded.append("state changes at the next restart") }
        if old.http != new.http { restartNeeded.append("http changes at the next restart") }
        if old.disagreements != new.disagreements {
            restartNeeded.append("disagreements changes at the next restart")
        }
        if old.engineOptionsDiffer(from: new) {
            restartNeeded.append("threads, queues and batches of cascade change at the next restart")
        }
    }

    /// Refuses filters for labels that the student doesn't have.
    package static func checkLabels(of settings: Settings, _ labels: [String]) throws(UnderstudyError) {
        for sink in settings.sinks {
            for label in sink.filter.labels where !labels.contains(label) {
                throw UnderstudyError(
                    .configuration,
                    "sink '\(sink.name)' asks for the label '\(label)'; the student has "
                        + labels.prefix(20).map { "'\($0)'" }.joined(separator: ", "))
            }
        }
    }
}

extension SourceSettings {
    /// Returns whether the two sources can't run at the same time: they have the same path, or the same name and thus
    /// the same state.
    func readsWhere(_ other: SourceSettings) -> Bool { name == other.name || path == other.path }

    /// The path that it reads; nil for standard input.
    private var path: String? {
        switch kind {
        case .stdin: nil
        case .fifo(let fifo): fifo.path
        case .directory(let directory): directory.path
        }
    }
}

extension SinkSettings {
    /// Returns whether both sinks write to the same place in the same way. Filter and format are ignored.
    package func isSamePlace(as other: SinkSettings) -> Bool {
        guard name == other.name, whenFull == other.whenFull else { return false }
        switch (kind, other.kind) {
        case (.stdout, .stdout), (.journald, .journald): return true
        case (.file(let one, _), .file(let two, _)): return one == two
        case (.fifo(let one, let permissions, _), .fifo(let two, let others, _)):
            return one == two && permissions == others
        case (.socket(let one, _), .socket(let two, _)): return one == two
        default: return false
        }
    }
}

extension Settings {
    func engineOptionsDiffer(from other: Settings) -> Bool {
        let (one, two) = (cascade, other.cascade)
        return one.threads != two.threads || one.teacherThreads != two.teacherThreads
            || one.teacherQueueLines != two.teacherQueueLines || one.whenTeacherFull != two.whenTeacherFull
            || one.teacherTimeoutSeconds != two.teacherTimeoutSeconds
            || one.teacherRetrySeconds != two.teacherRetrySeconds || one.batchLines != two.batchLines
            || one.batchWaitMilliseconds != two.batchWaitMilliseconds
    }
}
