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
    /// Whether the dead-letter file is opened again.
    package var deadLetterChanges = false
    /// Sentences about settings that require a restart.
    package var restartNeeded: [String] = []

    package init(from old: Settings, to new: Settings) {
        for difference in Settings.block.differences(old, new) { note(difference, old, new) }
        // The path also follows from the state directory and from whether there is a block `redistill`.
        if old.followedStudent != new.followedStudent { modelsChange = true }
        if deadLetterChanges { restartNeeded.removeAll { $0 == Self.sentence(DeadLetterSettings.block.facts) } }
        noteSources(old.sources, new.sources)
    }

    private mutating func note(_ difference: OptionDifference, _ old: Settings, _ new: Settings) {
        switch difference.option.reload {
        case .live, .source: break
        case .models: modelsChange = true
        case .teacher: (modelsChange, teacherChanges) = (true, true)
        case .studentPath: if old.followedStudent != new.followedStudent { modelsChange = true }
        case .sink: deadLetterChanges = true
        case .sinkFile, .restart:
            let sentence = Self.sentence(difference.block)
            if !restartNeeded.contains(sentence) { restartNeeded.append(sentence) }
        }
    }

    private static func sentence(_ block: OptionBlock) -> String { "\(block.restart) at the next restart" }

    private mutating func noteSources(_ old: [SourceSettings], _ new: [SourceSettings]) {
        func stays(_ source: SourceSettings, _ others: [SourceSettings]) -> Bool {
            others.contains { !SourceSettings.block.differences($0, source).contains { $0.option.reload == .source } }
        }
        for source in old where !stays(source, new) { removedSources.append(source.name) }
        for source in new where !stays(source, old) {
            if old.contains(where: { $0.readsWhere(source) }) {
                changedSources.append(source)
            } else {
                addedSources.append(source)
            }
        }
    }

    /// Refuses filters for labels that the student doesn't have.
    package static func checkLabels(of settings: Settings, _ labels: [String]) throws(UnderstudyError) {
        for sink in settings.sinks {
            for label in sink.filter.labels where !labels.contains(label) {
                throw UnderstudyError(
                    .configuration,
                    "sink '\(sink.name)' selects the label '\(label)'; the student has "
                        + labels.prefix(20).map { "'\($0)'" }.joined(separator: ", "))
            }
        }
    }
}
