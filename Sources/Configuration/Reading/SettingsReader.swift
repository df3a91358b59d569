/// The tree of a file → settings. Reports everything that is wrong, and goes on with defaults where it can.
struct SettingsReader {
    private let root: BlockReader
    let context: ReadingContext

    /// nil when the file isn't a mapping, which was then reported.
    init?(_ node: YAMLNode, context: ReadingContext) {
        guard let root = BlockReader(node, as: OptionTables.root, context: context) else { return nil }
        self.root = root
        self.context = context
    }

    /// Meaningless where an error was reported.
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

    /// Settings without sources and sinks, for those who need other blocks only. Meaningless where an error was reported.
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
        else { return .embeddedPair }
        return ModelSettings(
            student: reader.value(ModelOptions.student).map { .directory($0) } ?? .embedded,
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

    /// At most one of the four is there, else that was reported.
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
        // systemd may give several, apart by colons; the first is ours.
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

    /// A block whose options all have defaults.
    private func block(_ block: OptionBlock) -> BlockReader {
        optionalBlock(block) ?? BlockReader(absent: block, at: .none, context: context)
    }

    /// nil when the block isn't there, or isn't one.
    func optionalBlock(_ block: OptionBlock) -> BlockReader? {
        root.node(block.name).flatMap { BlockReader($0, as: block, context: context) }
    }

    /// The items of a list that must be there.
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
