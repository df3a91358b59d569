/// Converts the tree of a file to settings. It reports all errors and continues with defaults.
struct SettingsReader {
    private let root: BlockReader
    let context: ReadingContext

    /// Returns nil, and reports an error, if the file isn't a mapping.
    init?(_ node: YAMLNode, context: ReadingContext) {
        guard let root = BlockReader(node, as: OptionTables.root, context: context) else { return nil }
        self.root = root
        self.context = context
    }

    /// The result is valid only if no error was reported.
    func settings() -> Settings {
        var claims = PathClaims()
        var names = NameRegister(of: "source")
        let sources = SourceListReader(context: context)
            .sources(list(SourceOptions.block), names: &names, claims: &claims)
        let sinks = SinkListReader(context: context, sources: names.names)
            .sinks(list(SinkOptions.block), claims: &claims)
        let settings = Settings(
            models: models(), cascade: cascade(), sources: sources, sinks: sinks,
            deadLetter: deadLetter(claims: &claims), state: state(claims: &claims), shutdown: shutdown(),
            disagreements: disagreements(), redistill: redistill(), http: http(claims: &claims), logLevel: logLevel())
        claims.check(reportingTo: context.errors)
        return settings
    }

    /// Reads settings without sources and sinks, for commands that need other blocks only. Valid only if no error was
    /// reported.
    func partialSettings() -> Settings {
        var claims = PathClaims()
        return Settings(
            models: models(), cascade: cascade(), sources: [], sinks: [], deadLetter: nil,
            state: state(claims: &claims),
            shutdown: shutdown(), disagreements: disagreements(), redistill: redistill(), http: http(claims: &claims),
            logLevel: logLevel())
    }

    // MARK: Blocks

    private func models() -> ModelSettings {
        guard let node = root.node(ModelOptions.block.name), !node.isNull,
            let reader = BlockReader(node, as: ModelOptions.block, context: context)
        else { return .bundledPair }
        return ModelSettings(
            student: reader.value(ModelOptions.student).map { .directory($0) } ?? .bundled,
            teacher: reader.value(ModelOptions.teacher).map { .directory($0) })
    }

    private func cascade() -> CascadeSettings {
        typealias Table = CascadeOptions
        let reader = block(Table.block)
        return CascadeSettings(
            policy: reader.value(Table.policy), threshold: threshold(reader),
            auditShare: reader.value(Table.auditShare), threads: reader.value(Table.threads),
            teacherThreads: reader.value(Table.teacherThreads),
            teacherQueueLines: reader.value(Table.teacherQueueLines),
            whenTeacherFull: reader.value(Table.whenTeacherFull),
            teacherTimeoutSeconds: reader.value(Table.teacherTimeoutSeconds),
            teacherRetrySeconds: reader.value(Table.teacherRetrySeconds),
            batchLines: reader.value(Table.batchLines),
            batchWaitMilliseconds: reader.value(Table.batchWaitMilliseconds))
    }

    /// At most one of the four options is present; otherwise an error was reported.
    private func threshold(_ reader: BlockReader) -> ThresholdPolicy {
        typealias Table = CascadeOptions
        let choices: [ThresholdPolicy?] = [
            reader.value(Table.threshold).map { .fixed($0) },
            reader.value(Table.targetError).map { .targetError($0) },
            reader.value(Table.budgetShare).map { .budgetShare($0) },
            reader.value(Table.budgetLinesPerSecond).map { .budgetLinesPerSecond($0) },
        ]
        return choices.compactMap { $0 }.first ?? .calibrated
    }

    private func deadLetter(claims: inout PathClaims) -> DeadLetterSettings? {
        guard let reader = optionalBlock(DeadLetterOptions.block) else { return nil }
        let permissions = reader.value(DeadLetterOptions.permissions)
        guard let path = reader.value(DeadLetterOptions.path) else { return nil }
        let span = reader.span(of: DeadLetterOptions.path.facts.name)
        claims.add(PathClaim(owner: "dead_letter", use: .writes, path: path, span: span))
        return DeadLetterSettings(path: path, permissions: permissions)
    }

    private func state(claims: inout PathClaims) -> StateSettings {
        let reader = block(StateOptions.block)
        let name = StateOptions.directory.facts.name
        var directory = reader.value(StateOptions.directory)
        // systemd separates several directories by colons; the first is used.
        let given = context.environment["STATE_DIRECTORY"]?.split(separator: ":").first
        if reader.node(name) == nil, let given { directory = String(given) }
        let span = reader.node(name)?.span ?? .none
        claims.add(PathClaim(owner: "the state directory", use: .keepsState, path: directory, span: span))
        return StateSettings(
            directory: directory,
            commitIntervalMilliseconds: reader.value(StateOptions.commitIntervalMilliseconds))
    }

    private func shutdown() -> ShutdownSettings {
        ShutdownSettings(drainSeconds: block(ShutdownOptions.block).value(ShutdownOptions.drainSeconds))
    }

    private func disagreements() -> DisagreementSettings {
        let reader = block(DisagreementOptions.block)
        return DisagreementSettings(
            keepDays: reader.value(DisagreementOptions.keepDays),
            keepRows: reader.value(DisagreementOptions.keepRows))
    }

    private func http(claims: inout PathClaims) -> ListenAddress? {
        guard let reader = optionalBlock(HTTPOptions.block), let address = reader.value(HTTPOptions.listen) else {
            return nil
        }
        if case .unix(let path) = address {
            let span = reader.span(of: HTTPOptions.listen.facts.name)
            claims.add(PathClaim(owner: "http", use: .isSpecial, path: path, span: span))
        }
        return address
    }

    private func logLevel() -> LogLevel {
        block(LogOptions.block).value(LogOptions.level)
    }

    // MARK: Finding them

    /// Reads a block whose options all have defaults.
    private func block(_ block: OptionBlock) -> BlockReader {
        optionalBlock(block) ?? BlockReader(absent: block, at: .none, context: context)
    }

    /// Returns nil if the block is absent or malformed.
    func optionalBlock(_ block: OptionBlock) -> BlockReader? {
        root.node(block.name).flatMap { BlockReader($0, as: block, context: context) }
    }

    /// Returns the items of a required list.
    private func list(_ block: OptionBlock) -> [YAMLNode] {
        guard case .list(let noun) = block.shape else { return [] }
        let example = "start each \(noun) with '- name: '"
        guard let node = root.node(block.name) else {
            context.errors.add("the configuration lacks '\(block.name)'", at: .none, hint: example)
            return []
        }
        switch node.content {
        case .list(let items):
            if items.isEmpty { context.errors.add("'\(block.name)' must have at least one \(noun)", at: node.span) }
            if items.count > OptionTables.mostItems {
                context.errors.add(
                    "'\(block.name)' has \(items.count) items; \(OptionTables.mostItems) are allowed", at: node.span)
            }
            return Array(items.prefix(OptionTables.mostItems))
        case .refused: return []
        default:
            let actual = node.isNull ? "must have at least one \(noun)" : "must be a list, not \(node.description)"
            context.errors.add("'\(block.name)' \(actual)", at: node.span, hint: example)
            return []
        }
    }
}

extension SettingsReader {
    func redistill() -> RedistillSettings? {
        typealias Table = RedistillOptions
        guard let reader = optionalBlock(Table.block) else { return nil }
        let gate = gate(inner(Table.gate, of: reader))
        let rollback = inner(Table.rollback, of: reader)
        let drift = inner(Table.drift, of: reader)
        let train = reader.value(Table.train)
        let holdout = reader.value(Table.holdout)
        guard let train, let holdout else { return nil }
        if PathClaims.normalised(train) == PathClaims.normalised(holdout) {
            context.errors.add(
                "'holdout' is the file that 'train' names; the student would be tested on its training data",
                at: reader.span(of: Table.holdout.facts.name))
        }
        return RedistillSettings(
            train: train, holdout: holdout, registry: reader.value(Table.registry),
            reports: reader.value(Table.reports), minimumNewRows: reader.value(Table.minimumNewRows),
            start: reader.value(Table.start), epochs: reader.value(Table.epochs),
            learningRate: reader.value(Table.learningRate), seed: reader.value(Table.seed),
            logRows: reader.value(Table.logRows), replayRows: reader.value(Table.replayRows),
            heldOutShare: reader.value(Table.heldOutShare), threads: reader.value(Table.threads),
            maximumMinutes: reader.value(Table.maximumMinutes),
            maximumMemoryMebibytes: reader.value(Table.maximumMemoryMebibytes),
            keepVersions: reader.value(Table.keepVersions), shadow: reader.value(Table.shadow),
            shadowLines: reader.value(Table.shadowLines), gate: gate,
            rollback: RedistillSettings.Rollback(
                audits: rollback.value(Table.audits), confidence: rollback.value(Table.rollbackConfidence)),
            drift: RedistillSettings.Drift(
                maximumIndex: drift.value(Table.maximumIndex), minimumLines: drift.value(Table.minimumLines),
                startsRun: drift.value(Table.startsRun)))
    }

    private func gate(_ reader: BlockReader) -> RedistillSettings.Gate {
        typealias Table = RedistillOptions
        return RedistillSettings.Gate(
            maximumAccuracyLoss: reader.value(Table.maximumAccuracyLoss),
            maximumPossibleLoss: reader.value(Table.maximumPossibleLoss), confidence: reader.value(Table.confidence),
            maximumRecallLoss: reader.value(Table.maximumRecallLoss),
            maximumCalibrationError: reader.value(Table.maximumCalibrationError),
            maximumLoadGrowth: reader.value(Table.maximumLoadGrowth),
            loadAllowance: reader.value(Table.loadAllowance),
            maximumSlowdown: reader.value(Table.maximumSlowdown), maximumGrowth: reader.value(Table.maximumGrowth),
            minimumHoldoutRows: reader.value(Table.minimumHoldoutRows),
            minimumClassRows: reader.value(Table.minimumClassRows),
            maximumOverlap: reader.value(Table.maximumOverlap))
    }

    /// Reads a nested block whose options all have defaults.
    private func inner(_ block: OptionBlock, of reader: BlockReader) -> BlockReader {
        reader.node(block.name).flatMap { BlockReader($0, as: block, context: context) }
            ?? BlockReader(absent: block, at: reader.span, context: context)
    }
}

/// The names already in use.
struct NameRegister {
    let noun: String
    private var lines: [String: Int] = [:]

    var names: [String] { lines.keys.sorted() }

    init(of noun: String) { self.noun = noun }

    /// Adds a name, and reports one that is in use.
    mutating func take(_ name: String, at span: SourceSpan, errors: ErrorCollector) {
        if let line = lines[name] {
            errors.add(
                "a \(noun) in line \(line + 1) is called \(YAMLText.shown(name)) already", at: span,
                hint: "give each \(noun) a name of its own")
        } else {
            lines[name] = span.start.line
        }
    }
}
