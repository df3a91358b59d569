import Cascade
import Configuration
import Streams
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

    private func kind<Kind>(_ options: String, of kind: Kind.Type) throws -> Kind {
        try #require(try source(options).kind as? Kind)
    }

    @Test func kindsOfSources() throws {
        #expect(try !kind("kind: stdin", of: StandardInputKind.self).spool.isOn)
        let spool = try kind("kind: stdin, spool: true", of: StandardInputKind.self).spool
        #expect(spool.isOn && spool.maximumBytes == 1_073_741_824)
        let fifo = try kind("kind: fifo, path: /p, permissions: '0600'", of: FIFOSourceKind.self)
        #expect(fifo.path == "/p" && fifo.permissions == 0o600 && !fifo.spool.isOn)
        let directory = try kind("kind: directory, path: /d, exclude: [a], include: [b]", of: DirectoryKind.self)
            .settings
        #expect(directory.path == "/d" && directory.include == ["b"] && directory.exclude == ["a"])
        #expect(directory.mode == .files && directory.after == .keep)
        #expect(!directory.recursive && directory.pollSeconds == 2)
        #expect(try kind("kind: directory, path: /d", of: DirectoryKind.self).settings.include == ["*"])
    }

    @Test(arguments: [
        ("", DirectorySource.Settings.Mode.files, DirectorySource.Settings.After.keep),
        (", after: delete", .files, .delete), (", after: move, done_directory: /e", .files, .move(to: "/e")),
        (", mode: tail", .tail, .keep), (", mode: tail, start: end", .tail, .keep),
    ])
    func modesOfDirectories(
        options: String, mode: DirectorySource.Settings.Mode, after: DirectorySource.Settings.After
    ) throws {
        let directory = try kind("kind: directory, path: /d\(options)", of: DirectoryKind.self).settings
        #expect(directory.mode == mode && directory.after == after)
        #expect(directory.start == (options.hasSuffix("start: end") ? .end : .beginning))
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

    private func sinkKind<Kind>(_ options: String, of kind: Kind.Type) throws -> Kind {
        try #require(try sink(options).kind as? Kind)
    }

    @Test func kindsOfSinks() throws {
        let plain = try sinkKind("kind: stdout", of: StandardOutputKind.self).layout
        let odd = try sinkKind("kind: stdout, format: tsv, logits: true", of: StandardOutputKind.self).layout
        #expect(plain.format == .jsonl && !plain.logits)
        #expect(odd.format == .tsv && odd.logits)
        let fifo = try sinkKind("kind: fifo, path: /p", of: FIFOSinkKind.self)
        #expect(fifo.path == "/p" && fifo.permissions == 0o660 && fifo.layout == plain)
        let socket = try sinkKind("kind: socket, path: /p, format: tsv, logits: true", of: SocketKind.self)
        #expect(socket.path == "/p" && socket.layout == odd)
        _ = try sinkKind("kind: journald", of: JournalKind.self)
        let file = try sinkKind("kind: file, path: '/p/{date}'", of: FileKind.self)
        #expect(file.path == "/p/{date}" && file.permissions == 0o640 && file.sync == .commit && file.layout == plain)
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
        #expect(read.http?.listen == .unix(path: "/http"))
        #expect(read.log.level == .warning)
        let least = try settings(least)
        #expect(least.deadLetter == nil && least.redistill == nil && least.http == nil)
    }
}
