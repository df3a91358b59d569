import Cascade
import Configuration
import Diagnostics
import Streams
import Synchronization

/// One source at work: its lane and the two threads that read and write it.
final class SourceRunner: Sendable {
    let settings: SourceSettings
    let source: any StreamSource
    let routing: SinkRouting
    private let engine: CascadeEngine
    private let lane: CascadeLane
    private let state = Monitor(State())

    private struct State: Sendable {
        var ending: LaneEnding?
        var writerHasEnded = false
        var threads: [WorkerThread] = []
    }

    init(
        _ settings: SourceSettings, source: any StreamSource, routing: SinkRouting, output: SourceOutput,
        engine: CascadeEngine
    ) throws(UnderstudyError) {
        self.settings = settings
        self.source = source
        self.routing = routing
        self.engine = engine
        lane = try engine.open(
            LaneOptions(
                source: settings.name, input: settings.input.form,
                encoding: TextEncoding(rawValue: settings.encoding.rawValue) ?? .utf8,
                maximumLineBytes: settings.maximumLineBytes, isOrdered: settings.ordered),
            source: source, output: output, routing: routing)
    }

    /// Starts reading and writing. `ended` is told when the reading has ended and when the last answer has been handed
    /// over; `hasEnded` says whether it was both.
    func start(ended: @escaping @Sendable () -> Void) throws(UnderstudyError) {
        let writer = try WorkerThread(name: "w \(settings.name)") { [self] in
            engine.write(lane)
            state.withLock { $0.writerHasEnded = true }
            state.broadcast(0)
            ended()
        }
        state.withLock { $0.threads.append(writer) }
        do throws(UnderstudyError) {
            let reader = try WorkerThread(name: "r \(settings.name)") { [self] in
                let ending = engine.read(lane)
                state.withLock { $0.ending = ending }
                state.broadcast(0)
                // The writer may have been the first to end.
                ended()
            }
            state.withLock { $0.threads.append(reader) }
        } catch {
            engine.abandon(lane)
            throw error
        }
    }

    /// Whether what was read can't be read again.
    var isStream: Bool {
        switch settings.kind {
        case .stdin(let spool): spool == nil
        case .fifo(let fifo): fifo.spool == nil
        case .directory: false
        }
    }

    /// Ends the reading; the answers of what was read still come.
    func interrupt() { source.interrupt() }

    /// Ends the answering too.
    func abandon() { engine.abandon(lane) }

    /// Waits until reader and writer have ended, at most until `deadline` (nanoseconds); false if they haven't.
    func wait(until deadline: UInt64) -> Bool {
        let ended: Bool? = state.wait(on: 0, until: deadline) { state in
            state.ending != nil && state.writerHasEnded ? true : nil
        }
        return ended == true
    }

    var hasEnded: Bool { state.withLock { $0.ending != nil && $0.writerHasEnded } }

    /// Joins the threads and frees the lane; how the reading ended.
    func close() -> LaneEnding? {
        let (threads, ending) = state.withLock { state in
            defer { state.threads = [] }
            return (state.threads, state.ending)
        }
        for thread in threads { thread.join() }
        engine.close(lane)
        return ending ?? state.withLock { $0.ending }
    }
}

extension InputSettings {
    var form: InputForm {
        switch self {
        case .line: .line
        case .jsonl(let field): .jsonl(field: field)
        case .tsv(let column): .tsv(column: column)
        }
    }
}
