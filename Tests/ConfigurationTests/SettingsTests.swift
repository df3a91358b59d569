import Configuration
import Testing

/// What each option means in `Settings`.
@Suite struct SettingsTests {
    private func source(_ options: String) throws -> SourceSettings {
        try #require(try settings("sources: [{name: in, \(options)}]\n" + leastSink).sources.first)
    }

    private func sink(_ options: String) throws -> SinkSettings {
        try #require(try settings(leastSource + "sinks: [{name: out, \(options)}]\n").sinks.first)
    }

    @Test(arguments: [
        ("", ThresholdPolicy.calibrated), ("threshold: 0.85", .fixed(0.85)), ("threshold: 1", .fixed(1)),
        ("target_error: 3e-2", .targetError(0.03)), ("budget_share: .5", .budgetShare(0.5)),
        ("budget_lines_per_second: 20", .budgetLinesPerSecond(20)),
    ])
    func thresholds(text: String, policy: ThresholdPolicy) throws {
        #expect(try settings(least + "cascade: {\(text)}\n").cascade.threshold == policy)
    }

    @Test func theCascade() throws {
        let text = try RepositoryFile.text("Tests/ConfigurationTests/Goldens/good/every-option.yaml")
        let cascade = try settings(text, environment: ["MODELS": "/m"]).cascade
        #expect(cascade.policy == .margin)
        #expect(cascade.auditShare == 0)
        #expect(cascade.threads == 3 && cascade.teacherThreads == 2)
        #expect(cascade.teacherQueueLines == 100 && cascade.whenTeacherFull == .answerWithStudent)
        #expect(cascade.teacherTimeoutSeconds == 5 && cascade.teacherRetrySeconds == 2)
        #expect(cascade.batchLines == 64 && cascade.batchWaitMilliseconds == 0)
    }

    @Test func kindsOfSources() throws {
        #expect(try source("kind: stdin").kind == .stdin(nil))
        guard case .stdin(let spool?) = try source("kind: stdin, spool: true").kind else {
            Issue.record("there is no spool")
            return
        }
        #expect(spool.maximumBytes == 1_073_741_824)
        guard case .fifo(let fifo) = try source("kind: fifo, path: /p, permissions: '0600'").kind else {
            Issue.record("it isn't a pipe")
            return
        }
        #expect(fifo.path == "/p" && fifo.permissions == 0o600 && fifo.spool == nil)
        guard case .directory(let directory) = try source("kind: directory, path: /d, exclude: [a], include: [b]").kind
        else {
            Issue.record("it isn't a directory")
            return
        }
        #expect(directory.mode == .files(after: .keep) && directory.include == ["b"] && directory.exclude == ["a"])
        #expect(!directory.recursive && directory.pollSeconds == 2)
    }

    @Test(arguments: [
        ("", DirectorySettings.Mode.files(after: .keep)), (", after: delete", .files(after: .delete)),
        (", after: move, done_directory: /e", .files(after: .move(to: "/e"))),
        (", mode: tail", .tail(start: .beginning)), (", mode: tail, start: end", .tail(start: .end)),
    ])
    func modesOfDirectories(options: String, mode: DirectorySettings.Mode) throws {
        guard case .directory(let directory) = try source("kind: directory, path: /d\(options)").kind else {
            Issue.record("it isn't a directory")
            return
        }
        #expect(directory.mode == mode)
    }

    @Test func formsOfLines() throws {
        #expect(try source("kind: stdin").input == .line)
        #expect(try source("kind: stdin, input: jsonl").input == .jsonl(field: "text"))
        #expect(try source("kind: stdin, input: tsv").input == .tsv(column: 1))
        #expect(try source("kind: stdin, input: tsv, column: 4").input == .tsv(column: 4))
        let odd = try source("kind: stdin, encoding: big5, maximum_line_bytes: 7, ordered: false")
        #expect(try source("kind: directory, path: /d, encoding: utf-16be").encoding == .utf16BigEndian)
        #expect(odd.encoding == .big5 && odd.maximumLineBytes == 7 && !odd.ordered)
    }

    @Test func kindsOfSinks() throws {
        guard case .stdout(let plain) = try sink("kind: stdout").kind,
            case .stdout(let odd) = try sink("kind: stdout, format: tsv, logits: true").kind
        else {
            Issue.record("it isn't standard output")
            return
        }
        #expect(plain.format == .jsonl && !plain.logits)
        #expect(odd.format == .tsv && odd.logits)
        #expect(try sink("kind: fifo, path: /p").kind == .fifo(path: "/p", permissions: 0o660, plain))
        #expect(try sink("kind: socket, path: /p, format: tsv, logits: true").kind == .socket(path: "/p", odd))
        #expect(try sink("kind: journald").kind == .journald)
        guard case .file(let file, plain) = try sink("kind: file, path: '/p/{date}'").kind else {
            Issue.record("it isn't a plain file")
            return
        }
        #expect(file.path == "/p/{date}" && file.permissions == 0o640 && file.sync == .commit)
        #expect(try sink("kind: stdout, when_full: drop").whenFull == .drop)
        let filter = try sink("kind: stdout, labels: [a], sources: [in], by: student, minimum_confidence: 0.5").filter
        #expect(filter.labels == ["a"] && filter.sources == ["in"])
        #expect(filter.by == .student && filter.minimumConfidence == 0.5)
    }

    @Test func theRest() throws {
        let read = try settings(
            least + """
                dead_letter: {path: /dead, permissions: "0600"}
                state: {directory: /s, commit_interval_milliseconds: 9}
                shutdown: {drain_seconds: 8}
                disagreements: {keep_days: 7, keep_rows: 6}
                redistill: {train: /t, holdout: /h, gate: {confidence: 0.75}}
                http: {listen: "unix:/http"}
                log: {level: warning}
                """)
        #expect(read.deadLetter?.path == "/dead" && read.deadLetter?.permissions == 0o600)
        #expect(read.state.directory == "/s" && read.state.commitIntervalMilliseconds == 9)
        #expect(read.shutdown.drainSeconds == 8)
        #expect(read.disagreements.keepDays == 7 && read.disagreements.keepRows == 6)
        #expect(read.redistill?.train == "/t" && read.redistill?.holdout == "/h")
        #expect(read.redistill?.minimumNewRows == 500)
        #expect(read.redistill?.gate.confidence == 0.75 && read.redistill?.gate.maximumAccuracyLoss == 0.002)
        #expect(read.http == .unix(path: "/http"))
        #expect(read.logLevel == .warning)
        let least = try settings(least)
        #expect(least.deadLetter == nil && least.redistill == nil && least.http == nil)
    }
}
