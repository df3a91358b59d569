import Diagnostics
import Streams
import Synchronization

/// The threads that answer lines, for any number of sources at once: each has a lane of its own with its own order,
/// and all share the workers and the models.
///
/// Lanes come and go, routes change and models are replaced while lines are under way: a job keeps the models and
/// routes that it began with.
public final class CascadeEngine: Sendable {
    private let board: CascadeBoard
    private let report: @Sendable (UnderstudyError) -> Void
    private let workers = Mutex<[WorkerThread]>([])
    /// Held while a lane is opened or models or routes are replaced: a lane's routes are those of its models.
    private let changes = Mutex<Void>(())

    /// `report` is told of a teacher that can't be loaded.
    public init(
        options: CascadeOptions, models: CascadeModels, observer: (any CascadeObserver)? = nil,
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        guard options.threads > 0 else { throw UnderstudyError(.usage, "at least 1 thread is needed") }
        board = CascadeBoard(options: options, models: models, observer: observer ?? NoObserver())
        self.report = report
    }

    /// Starts the workers.
    public func start() throws(UnderstudyError) {
        let options = board.options
        var started: [WorkerThread] = []
        do throws(UnderstudyError) {
            for index in 0..<options.threads {
                let role = options.teacherThreads > 0 ? CascadeBoard.Role.student : .both
                started.append(
                    try WorkerThread(name: "student \(index)") { [board, report] in
                        CascadeWorker(board, role: role, index: index, report: report).run()
                    })
            }
            for index in 0..<options.teacherThreads {
                started.append(
                    try WorkerThread(name: "teacher \(index)") { [board, report] in
                        CascadeWorker(board, role: .teacher, index: options.threads + index, report: report).run()
                    })
            }
        } catch {
            stop()
            for thread in started { thread.join() }
            throw error
        }
        workers.withLock { $0 = started }
    }

    /// The workers end when every lane is over.
    public func stop() {
        board.monitor.withLock { $0.isStopping = true }
        board.wakeWorkers()
    }

    /// Waits for the workers' end.
    public func join() {
        let ending = workers.withLock { workers in
            defer { workers = [] }
            return workers
        }
        for thread in ending { thread.join() }
    }

    // MARK: Lanes

    /// Opens a lane. The caller gives it two threads, one that calls `read` and one that calls `write`.
    public func open(
        _ options: LaneOptions, source: any StreamSource, output: any LaneOutput, routing: any AnswerRouting
    ) throws(UnderstudyError) -> CascadeLane {
        guard (1...LineFramer.greatestMaximumLineBytes).contains(options.maximumLineBytes) else {
            throw UnderstudyError(
                .usage, "the longest line must have from 1 to \(LineFramer.greatestMaximumLineBytes) bytes")
        }
        _ = try LineDecoder(
            form: options.input, maximumLineBytes: options.maximumLineBytes, encoding: options.encoding)
        let lane = changes.withLock { _ in
            let routes = routing.routes(for: board.models)
            return board.monitor.withLock { state -> CascadeLane? in
                let free = state.lanes.firstIndex { $0 == nil } ?? state.lanes.count
                guard free < CascadeBoard.mostLanes else { return nil }
                let lane = CascadeLane(
                    slot: free, options: options, sizes: board.options, source: source, output: output,
                    routing: routing, routes: routes)
                if free == state.lanes.count { state.lanes.append(lane) } else { state.lanes[free] = lane }
                return lane
            }
        }
        guard let lane else {
            throw UnderstudyError(.configuration, "there are more than \(CascadeBoard.mostLanes) sources")
        }
        return lane
    }

    /// Reads the lane's source on this thread until its end, or until the source is interrupted.
    public func read(_ lane: CascadeLane) -> LaneEnding {
        var reader = LaneReader(lane, board: board)
        return reader.run()
    }

    /// Writes the lane's answers on this thread until the last.
    public func write(_ lane: CascadeLane) {
        LaneWriter(lane: lane, board: board).run()
    }

    /// Gives the lane up: lines in flight are dropped.
    public func abandon(_ lane: CascadeLane) {
        board.abandon(lane)
        lane.source.interrupt()
    }

    /// Forgets a lane whose reader and writer have ended, and frees its memory.
    public func close(_ lane: CascadeLane) {
        board.close(lane)
    }

    // MARK: Changes

    public var models: CascadeModels { board.models }

    /// Puts other models in force from the next job on. Workers let go of the old ones at once; the last job that
    /// began with them frees them.
    public func replaceModels(_ models: CascadeModels) {
        changes.withLock { _ in board.replace(models, routes: newRoutes(for: models)) }
    }

    /// Asks every lane's routing for new routes: the sinks have changed.
    public func renewRoutes() {
        changes.withLock { _ in
            let routes = newRoutes(for: board.models)
            board.monitor.withLock { _ in
                for (lane, routes) in routes { lane.state.routes = routes }
            }
        }
    }

    private func newRoutes(for models: CascadeModels) -> [(CascadeLane, AnswerRoutes)] {
        board.monitor.withLock { $0.lanes.compactMap { $0 } }.map { ($0, $0.routing.routes(for: models)) }
    }

    // MARK: What goes on

    /// Lines of the lane that are read and not yet delivered.
    public func linesUnderWay(in lane: CascadeLane) -> Int { board.monitor.withLock { _ in lane.state.linesUnderWay } }

    public struct Depths: Sendable, Equatable {
        /// Lines that wait for the teacher.
        public var teacherQueue = 0
        public var lanes: [Lane] = []

        public struct Lane: Sendable, Equatable {
            public var source: String
            /// Lines read and not yet delivered.
            public var pending: Int
            public var jobsInFlight: Int
        }
    }

    public var depths: Depths {
        board.monitor.withLock { state in
            Depths(
                teacherQueue: state.deferred.count,
                lanes: state.lanes.compactMap { lane in
                    lane.map {
                        Depths.Lane(
                            source: $0.options.source, pending: $0.state.linesUnderWay,
                            jobsInFlight: $0.state.jobsInFlight)
                    }
                })
        }
    }

    public var circuit: TeacherCircuit { board.monitor.withLock { $0.circuit } }

    /// Calls every worker; how many haven't come by within `patience` nanoseconds. 0: all are well.
    public func callWorkers(patience: UInt64) -> Int { board.callWorkers(patience: patience) }
}
