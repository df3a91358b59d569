/// Prints the settings as a configuration file with every option written out and the defaults marked.
///
/// The text is valid YAML. Reading it gives equal settings, whatever the environment.
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

// The models and the cascade.
extension ResolvedText {
    private static func write(_ models: ModelSettings, to text: inout BlockWriter) {
        // Without the block the teacher is the bundled one. With the block there is a teacher only if it is named.
        text.block(ModelOptions.block, models.teacher == .bundled ? nil : models) { text, models in
            if models.student == .bundled, models.teacher == nil { text.isEmpty() }
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

// Sources and sinks.
extension ResolvedText {
    static func write(_ source: SourceSettings, to text: inout BlockWriter) {
        typealias Table = SourceOptions
        text.line(Table.name, source.name)
        switch source.kind {
        case .stdin(let spool):
            text.line(Table.kind, "stdin")
            write(spool, to: &text)
        case .fifo(let fifo):
            text.line(Table.kind, "fifo")
            text.line(Table.path, fifo.path)
            text.line(Table.permissions, fifo.permissions)
            write(fifo.spool, to: &text)
        case .directory(let directory):
            text.line(Table.kind, "directory")
            write(directory, to: &text)
        }
        switch source.input {
        case .line: text.line(Table.input, "line")
        case .jsonl(let field):
            text.line(Table.input, "jsonl")
            text.line(Table.field, field)
        case .tsv(let column):
            text.line(Table.input, "tsv")
            text.line(Table.column, column)
        }
        text.line(Table.encoding, source.encoding)
        text.line(Table.maximumLineBytes, source.maximumLineBytes)
        text.line(Table.ordered, source.ordered)
    }

    private static func write(_ spool: SpoolSettings?, to text: inout BlockWriter) {
        text.line(SourceOptions.spool, spool != nil)
        if let spool { text.line(SourceOptions.spoolMaximumBytes, spool.maximumBytes) }
    }

    private static func write(_ directory: DirectorySettings, to text: inout BlockWriter) {
        typealias Table = SourceOptions
        text.line(Table.path, directory.path)
        switch directory.mode {
        case .files(let after):
            text.line(Table.mode, "files")
            switch after {
            case .keep: text.line(Table.after, "keep")
            case .delete: text.line(Table.after, "delete")
            case .move(let done):
                text.line(Table.after, "move")
                text.line(Table.doneDirectory, done)
            }
        case .tail(let start):
            text.line(Table.mode, "tail")
            text.line(Table.start, start)
        }
        text.line(Table.include, directory.include)
        text.line(Table.exclude, directory.exclude)
        text.line(Table.recursive, directory.recursive)
        text.line(Table.pollSeconds, directory.pollSeconds)
    }

    static func write(_ sink: SinkSettings, to text: inout BlockWriter) {
        typealias Table = SinkOptions
        text.line(Table.name, sink.name)
        switch sink.kind {
        case .stdout(let layout):
            text.line(Table.kind, "stdout")
            write(layout, to: &text)
        case .file(let file, let layout):
            text.line(Table.kind, "file")
            text.line(Table.filePath, file.path)
            text.line(Table.filePermissions, file.permissions)
            text.line(Table.sync, file.sync)
            write(layout, to: &text)
        case .fifo(let path, let permissions, let layout):
            text.line(Table.kind, "fifo")
            text.line(Table.path, path)
            text.line(Table.pipePermissions, permissions)
            write(layout, to: &text)
        case .socket(let path, let layout):
            text.line(Table.kind, "socket")
            text.line(Table.path, path)
            write(layout, to: &text)
        case .journald: text.line(Table.kind, "journald")
        }
        text.line(Table.labels, sink.filter.labels)
        text.line(Table.sources, sink.filter.sources)
        text.line(Table.by, sink.filter.by)
        text.line(Table.minimumConfidence, sink.filter.minimumConfidence)
        text.line(Table.whenFull, sink.whenFull)
    }

    private static func write(_ layout: SinkSettings.Layout, to text: inout BlockWriter) {
        text.line(SinkOptions.format, layout.format)
        text.line(SinkOptions.logits, layout.logits)
    }
}

extension ResolvedText {
    static func write(_ redistill: RedistillSettings?, to text: inout BlockWriter) {
        typealias Table = RedistillOptions
        text.block(Table.block, redistill) { text, redistill in
            text.line(Table.train, redistill.train)
            text.line(Table.holdout, redistill.holdout)
            text.line(Table.registry, redistill.registry)
            text.line(Table.reports, redistill.reports)
            text.line(Table.minimumNewRows, redistill.minimumNewRows)
            text.line(Table.start, redistill.start)
            text.line(Table.epochs, redistill.epochs)
            text.line(Table.learningRate, redistill.learningRate)
            text.line(Table.seed, redistill.seed)
            text.line(Table.logRows, redistill.logRows)
            text.line(Table.replayRows, redistill.replayRows)
            text.line(Table.heldOutShare, redistill.heldOutShare)
            text.line(Table.threads, redistill.threads)
            text.line(Table.maximumMinutes, redistill.maximumMinutes)
            text.line(Table.maximumMemoryMebibytes, redistill.maximumMemoryMebibytes)
            text.line(Table.keepVersions, redistill.keepVersions)
            text.line(Table.shadow, redistill.shadow)
            text.line(Table.shadowLines, redistill.shadowLines)
            text.block(Table.gate, redistill.gate) { write($1, to: &$0) }
            text.block(Table.rollback, redistill.rollback) { text, rollback in
                text.line(Table.audits, rollback.audits)
                text.line(Table.rollbackConfidence, rollback.confidence)
            }
            text.block(Table.drift, redistill.drift) { text, drift in
                text.line(Table.maximumIndex, drift.maximumIndex)
                text.line(Table.minimumLines, drift.minimumLines)
                text.line(Table.startsRun, drift.startsRun)
            }
        }
    }

    private static func write(_ gate: RedistillSettings.Gate, to text: inout BlockWriter) {
        typealias Table = RedistillOptions
        text.line(Table.maximumAccuracyLoss, gate.maximumAccuracyLoss)
        text.line(Table.maximumPossibleLoss, gate.maximumPossibleLoss)
        text.line(Table.confidence, gate.confidence)
        text.line(Table.maximumRecallLoss, gate.maximumRecallLoss)
        text.line(Table.maximumCalibrationError, gate.maximumCalibrationError)
        text.line(Table.maximumLoadGrowth, gate.maximumLoadGrowth)
        text.line(Table.loadAllowance, gate.loadAllowance)
        text.line(Table.maximumSlowdown, gate.maximumSlowdown)
        text.line(Table.maximumGrowth, gate.maximumGrowth)
        text.line(Table.minimumHoldoutRows, gate.minimumHoldoutRows)
        text.line(Table.minimumClassRows, gate.minimumClassRows)
        text.line(Table.maximumOverlap, gate.maximumOverlap)
    }
}

/// Writes the options of each block.
struct BlockWriter {
    private(set) var text = ""
    private var indentation = ""
    /// Written before the next line instead of the indentation: ` - `.
    private var bullet: String?

    // MARK: Options

    mutating func line<Value: Equatable>(_ option: DefaultedOption<Value>, _ value: Value) {
        let written = YAMLText.value(option.type.untyped(value), form: option.facts.form)
        write("\(option.facts.name): \(written)" + (value == option.fallback ? "  # default" : ""))
    }

    /// Writes the option; nil prints the meaning of its absence.
    mutating func line<Value>(_ option: YAMLOption<Value>, _ value: Value?) {
        if let value {
            write("\(option.facts.name): \(YAMLText.value(option.type.untyped(value), form: option.facts.form))")
        } else if case .means(let meaning) = option.facts.absence {
            write("# \(option.facts.name): \(meaning)  # default")
        }
    }

    // MARK: Blocks

    /// Writes a mapping with its options; nil prints the meaning of its absence.
    mutating func block<Value>(_ block: OptionBlock, _ value: Value?, _ body: (inout BlockWriter, Value) -> Void) {
        guard let value else {
            if case .means(let meaning) = block.absence { write("# \(block.name): \(meaning)  # default") }
            return
        }
        write("\(block.name):")
        indented { body(&$0, value) }
    }

    /// Marks the block just begun as one without options.
    mutating func isEmpty() {
        text.removeLast()
        text += " {}\n"
    }

    mutating func list(_ block: OptionBlock, _ body: (inout BlockWriter) -> Void) {
        write("\(block.name):")
        indented(body)
    }

    mutating func item(_ body: (inout BlockWriter) -> Void) {
        bullet = indentation + "- "
        indented(body)
    }

    private mutating func indented(_ body: (inout BlockWriter) -> Void) {
        indentation += "  "
        body(&self)
        indentation.removeLast(2)
    }

    private mutating func write(_ line: String) {
        text += (bullet ?? indentation) + line + "\n"
        bullet = nil
    }
}
