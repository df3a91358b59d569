import Cascade
import Configuration
import Diagnostics
import Models
import Service
import Streams
import TestSupport

/// An engine, an outlet and a committer at work on file sinks in a folder: a daemon's delivery without a daemon.
final class Stage {
    let folder: TemporaryFolder
    let store: ScriptedStore
    let outlet: Outlet
    let committer: Committer
    let metrics = DaemonMetrics(version: "1", flaws: LineFlaw.Kind.allCases.map(\.rawValue))
    let engine: CascadeEngine
    let reports = Monitor([UnderstudyError]())
    private let sinks: SinkRouting.Sinks
    private let committing: WorkerThread
    private var threads: [WorkerThread] = []
    private var lanes: [(lane: CascadeLane, source: FileLane, output: SourceOutput)] = []

    /// `sinks` is the YAML list of the sinks; `FOLDER` in it stands for the folder. Of those that aren't files, the ones in
    /// `flows` take part, by their names.
    init(
        _ sinks: String, models: CascadeModels, store: ScriptedStore = ScriptedStore(),
        flows: [String: any FlowSink] = [:], calls: SinkCalls = SinkCalls(),
        _ change: (inout CascadeOptions) -> Void = { _ in }
    ) throws {
        self.store = store
        folder = try TemporaryFolder(inMemory: false)
        let text = """
            sources: [{name: in, kind: stdin}]
            dead_letter: {path: FOLDER/dead.jsonl}
            sinks:
            \(sinks)
            """.split(separator: "FOLDER").joined(separator: folder.path)
        let settings = try ConfigurationFile.read(Array(text.utf8), path: "test.yaml", environment: [:])
        let reports = reports
        let report: @Sendable (UnderstudyError) -> Void = { error in reports.withLock { $0.append(error) } }
        outlet = Outlet(report: report)
        committer = Committer(
            outlet: outlet, interval: 300_000, prune: {}, report: report, observe: { _, _ in },
            commit: { (all) throws(UnderstudyError) in try store.commit(all) })
        var wired: [SinkRouting.Wired] = []
        func file(_ name: String, _ path: String) throws -> OpenedSink {
            var settings = FileSink.Settings(name: name, path: try PathTemplate(path))
            settings.calls = calls
            return .file(FileSink(settings, register: { _ throws(UnderstudyError) in }, report: report))
        }
        for sink in settings.sinks {
            if let flow = flows[sink.name] {
                wired.append(
                    SinkRouting.Wired(
                        settings: sink,
                        target: SinkTarget(
                            name: sink.name, kind: .flow(flow), whenFull: .block, metrics: metrics.sink(sink.name))))
            }
            guard let path = sink.kind.appendedFile else { continue }
            wired.append(
                SinkRouting.Wired(
                    settings: sink,
                    target: SinkTarget(
                        name: sink.name, kind: try file(sink.name, path), whenFull: sink.whenFull,
                        metrics: metrics.sink(sink.name))))
        }
        self.sinks = SinkRouting.Sinks(
            wired: wired,
            deadLetter: SinkTarget(
                name: "dead_letter", kind: try file("dead_letter", settings.deadLetter?.path ?? ""), whenFull: .block,
                metrics: metrics.sink("dead_letter")))
        var options = CascadeOptions()
        options.threads = 2
        options.teacherThreads = models.teacher == nil ? 0 : 1
        options.chunkBytes = 4096
        options.studentLines = 8
        options.teacherLines = 3
        change(&options)
        engine = try CascadeEngine(options: options, models: models) { report($1) }
        try engine.start()
        let committer = committer
        committing = try WorkerThread(name: "committer") { committer.run() }
    }

    func open(_ source: FileLane, isOrdered: Bool = true) throws {
        outlet.add(source)
        let output = SourceOutput(
            outlet: outlet, metrics: metrics, source: metrics.source(source.name), outputClosed: {})
        let engine = engine
        let lane = try engine.open(
            LaneOptions(source: source.name, maximumLineBytes: 200, isOrdered: isOrdered), source: source,
            output: output,
            routing: SinkRouting(source: source.name, field: "", metrics: metrics, sinks: sinks))
        lanes.append((lane, source, output))
        threads.append(try WorkerThread(name: "writer") { engine.write(lane) })
        threads.append(try WorkerThread(name: "reader") { _ = engine.read(lane) })
    }

    /// Gives up the lane of a source as a reload does.
    func abandon(_ source: FileLane) {
        for entry in lanes where entry.source === source {
            engine.abandon(entry.lane)
            entry.output.abandon()
        }
    }

    /// Waits for the ends of all lanes.
    func joinLanes() {
        for thread in threads { thread.join() }
        threads = []
        for entry in lanes { engine.close(entry.lane) }
        lanes = []
    }

    /// Waits for the end of everything.
    func finish() {
        joinLanes()
        engine.stop()
        engine.join()
        outlet.stop()
        committing.join()
    }

    /// The texts in the first `length` bytes of a file of TSV answers.
    func texts(_ name: String, length: Int? = nil) -> [String] {
        let bytes = folder.bytes(of: name) ?? []
        return String(decoding: bytes[..<(length ?? bytes.count)], as: UTF8.self).split(separator: "\n")
            .map { String($0.prefix { $0 != "\t" }) }
    }
}
