/// The settings as a configuration file again, every option written out and the defaults marked.
///
/// The text is valid YAML; reading it gives equal settings, in any environment.
public struct ResolvedText: Sendable, CustomStringConvertible {
    public let description: String

    public init(_ settings: Settings) {
        var text = BlockWriter()
        Self.write(settings.models, to: &text)
        Self.write(settings.cascade, to: &text)
        text.list(SourceOptions.block) { text in
            for source in settings.sources { text.item { Self.write(source, to: &$0) } }
        }
        text.list(SinkOptions.block) { text in
            for sink in settings.sinks { text.item { Self.write(sink, to: &$0) } }
        }
        text.block(DeadLetterOptions.block, settings.deadLetter) { text, deadLetter in
            text.line(DeadLetterOptions.path, deadLetter.path)
            text.line(DeadLetterOptions.permissions, deadLetter.permissions)
        }
        text.block(StateOptions.block, settings.state) { text, state in
            text.line(StateOptions.directory, state.directory)
            text.line(StateOptions.commitIntervalMilliseconds, state.commitIntervalMilliseconds)
        }
        text.block(ShutdownOptions.block, settings.shutdown) { text, shutdown in
            text.line(ShutdownOptions.drainSeconds, shutdown.drainSeconds)
        }
        text.block(DisagreementOptions.block, settings.disagreements) { text, disagreements in
            text.line(DisagreementOptions.keepDays, disagreements.keepDays)
            text.line(DisagreementOptions.keepRows, disagreements.keepRows)
        }
        Self.write(settings.redistill, to: &text)
        text.block(HTTPOptions.block, settings.http) { text, address in
            text.line(HTTPOptions.listen, address)
        }
        text.block(LogOptions.block, settings.logLevel) { text, level in
            text.line(LogOptions.level, level)
        }
        description = text.text
    }
}

// The larger blocks.
extension ResolvedText {
    private static func write(_ models: ModelSettings, to text: inout BlockWriter) {
        // Without the block, the teacher is the embedded one; with it, there is one only if it is named.
        text.block(ModelOptions.block, models.teacher == .embedded ? nil : models) { text, models in
            if models.student == .embedded, models.teacher == nil { text.isEmpty() }
            text.line(ModelOptions.student, path(models.student))
            text.line(ModelOptions.teacher, path(models.teacher))
        }
    }

    private static func path(_ model: ModelSettings.Model?) -> String? {
        if case .directory(let path) = model { return path }
        return nil
    }

    private static func write(_ cascade: CascadeSettings, to text: inout BlockWriter) {
        typealias Table = CascadeOptions
        text.block(Table.block, cascade) { text, cascade in
            text.line(Table.policy, cascade.policy)
            switch cascade.threshold {
            case .calibrated: text.line(Table.threshold, nil)
            case .fixed(let threshold): text.line(Table.threshold, threshold)
            case .targetError(let error): text.line(Table.targetError, error)
            case .budgetShare(let share): text.line(Table.budgetShare, share)
            case .budgetLinesPerSecond(let rate): text.line(Table.budgetLinesPerSecond, rate)
            }
            text.line(Table.auditShare, cascade.auditShare)
            text.line(Table.threads, cascade.threads)
            text.line(Table.teacherThreads, cascade.teacherThreads)
            text.line(Table.teacherQueueLines, cascade.teacherQueueLines)
            text.line(Table.whenTeacherFull, cascade.whenTeacherFull)
            text.line(Table.teacherTimeoutSeconds, cascade.teacherTimeoutSeconds)
            text.line(Table.teacherRetrySeconds, cascade.teacherRetrySeconds)
            text.line(Table.batchLines, cascade.batchLines)
            text.line(Table.batchWaitMilliseconds, cascade.batchWaitMilliseconds)
        }
    }
}
