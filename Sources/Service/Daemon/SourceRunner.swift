import Cascade
import Configuration
import Diagnostics
import Streams
import Synchronization

/// A running source: its lane, and the threads that read and write it.
final class SourceRunner: Sendable {
    let settings: SourceSettings
    let source: any StreamSource
    let routing: SinkRouting
    private let output: SourceOutput
    private let engine: CascadeEngine
    private let lane: CascadeLane
    private let state = Monitor(State())

    private struct State: Sendable {
        var ending: LaneEnding?
        var writerHasEnded = false
        var threads: [WorkerThread] = []

        var hasEnded: Bool { ending != nil && writerHasEnded }
    }

    init(
        _ settings: SourceSettings, source: any StreamSource, routing: SinkRouting, output: SourceOutput,
        engine: CascadeEngine
    ) throws(UnderstudyError) {
        self.settings = settings
        self.source = source
        self.routing = routing
        self.output = output
        self.engine = engine
        lane = try engine.open(
            LaneOptions(
                source: settings.name, input: settings.input,
                encoding: settings.encoding,
                maximumLineBytes: settings.maximumLineBytes, isOrdered: settings.ordered),
            source: source, output: output, routing: routing)
    }

    /// Starts reading and writing. Calls `ended` when both have ended.
    func start(ended: @escaping @Sendable () -> Void) throws(UnderstudyError) {
        let writer = try WorkerThread(name: "w \(settings.name)") { [self] in
            engine.write(lane)
            note(ended) { $0.writerHasEnded = true }
        }
        state.withLock { $0.threads.append(writer) }
        do throws(UnderstudyError) {
            let reader = try WorkerThread(name: "r \(settings.name)") { [self] in
                let ending = engine.read(lane)
                note(ended) { $0.ending = ending }
            }
            state.withLock { $0.threads.append(reader) }
        } catch {
            abandon()
            _ = close()
            throw error
        }
    }

    /// Applies the change. The thread that ends last calls `ended`.
    private func note(_ ended: () -> Void, _ change: (inout State) -> Void) {
        let isLast = state.withLock { state in
            change(&state)
            return state.hasEnded
        }
        state.broadcast(0)
        if isLast { ended() }
    }

    /// Whether lines already read can't be read again.
    var isStream: Bool { settings.kind.isStream }

    /// Ends the reading. Lines already read are still answered.
    func interrupt() { source.interrupt() }

    /// Ends the answering as well.
    func abandon() {
        engine.abandon(lane)
        output.abandon()
    }

    /// Waits until reader and writer have ended, or until `deadline` (nanoseconds). Returns false at the deadline.
    func wait(until deadline: UInt64) -> Bool {
        let ended: Bool? = state.wait(on: 0, until: deadline) { state in
            state.hasEnded ? true : nil
        }
        return ended == true
    }

    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    /// How the reading ended; nil before its end.
    var ending: LaneEnding? { state.withLock { $0.ending } }

    /// Joins the threads and releases the lane. Returns how the reading ended.
    func close() -> LaneEnding? {
        let threads = state.withLock { state in
            defer { state.threads = [] }
            return state.threads
        }
        for thread in threads { thread.join() }
        engine.close(lane)
        return ending
    }
}
