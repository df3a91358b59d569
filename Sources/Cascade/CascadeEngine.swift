import Diagnostics
import Streams
import Synchronization

/// The threads that answer lines for any number of sources. Each source has a lane with its own order; all lanes share
/// the workers and the models.
///
/// Lanes, routes and models may change while lines are in flight: a job keeps the models and routes that it started
/// with.
public final class CascadeEngine: Sendable {
    private let board: CascadeBoard
    private let report: @Sendable (ModelFailure, UnderstudyError) -> Void
    private let workers = Mutex<[WorkerThread]>([])
    /// Held while a lane is opened and while models or routes are replaced, because a lane's routes depend on its
    /// models.
    private let changes = Mutex<Void>(())

    /// - Parameter report: receives the errors of the models, on any worker's thread.
    public init(
        options: CascadeOptions, models: CascadeModels, observer: (any CascadeObserver)? = nil,
        report: @escaping @Sendable (ModelFailure, UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        try Self.check(threads: options.threads)
        board = CascadeBoard(options: options, models: models, observer: observer)
        self.report = report
    }

    static func check(threads: Int) throws(UnderstudyError) {
        guard threads > 0 else { throw UnderstudyError(.usage, "at least 1 thread is needed") }
    }

    /// Starts the workers.
    public func start() throws(UnderstudyError) {
        let options = board.options
        var started: [WorkerThread] = []
        func add(_ name: String, _ role: WorkerRole) throws(UnderstudyError) {
            started.append(
                try WorkerThread(name: name) { [board, report, index = started.count] in
                    CascadeWorker(board, role: role, index: index, report: report).run()
                })
        }
        do throws(UnderstudyError) {
            let role = options.teacherThreads > 0 ? WorkerRole.student : .both
            for index in 0..<options.threads { try add("student \(index)", role) }
            for index in 0..<options.teacherThreads { try add("teacher \(index)", .teacher) }
        } catch {
            stop()
            for thread in started { thread.join() }
            throw error
        }
        workers.withLock { $0 = started }
    }

    /// Stops the workers after every lane has ended.
    public func stop() {
        board.stop()
    }

    /// Waits until the workers have ended.
    public func join() {
        let ending = workers.withLock { workers in
            defer { workers = [] }
            return workers
        }
        for thread in ending { thread.join() }
    }

    // MARK: Lanes

    /// Opens a lane. The caller provides two threads, one for `read` and one for `write`.
    public func open(
        _ options: LaneOptions, source: any StreamSource, output: any LaneOutput, routing: any AnswerRouting
    ) throws(UnderstudyError) -> CascadeLane {
        try LaneOptions.check(maximumLineBytes: options.maximumLineBytes)
        _ = try LineDecoder(
            form: options.input, maximumLineBytes: options.maximumLineBytes, encoding: options.encoding)
        let lane = changes.withLock { _ in
            let routes = routing.routes(for: board.models)
            return board.monitor.withLock { state in
                state.lanes.add { slot in
                    CascadeLane(
                        slot: slot, options: options, sizes: board.options, source: source, output: output,
                        routing: routing, routes: routes)
                }
            }
        }
        guard let lane else {
            throw UnderstudyError(.configuration, "there are more than \(LaneTable.mostLanes) sources")
        }
        return lane
    }

    /// Reads the lane's source on this thread until it ends or is interrupted.
    public func read(_ lane: CascadeLane) -> LaneEnding {
        var reader = LaneReader(lane, board: board)
        return reader.run()
    }

    /// Writes the lane's answers on this thread until the last one.
    public func write(_ lane: CascadeLane) {
        LaneWriter(lane: lane, board: board).run()
    }

    /// Abandons the lane: lines in flight are dropped.
    public func abandon(_ lane: CascadeLane) {
        board.abandon(lane)
        lane.source.interrupt()
    }

    /// Removes a lane whose reader and writer have ended, and releases its memory.
    public func close(_ lane: CascadeLane) {
        board.close(lane)
    }

    // MARK: Changes

    public var models: CascadeModels { board.models }

    /// Replaces the models for all following jobs. Workers release the old models at once; their memory is freed with
    /// the last job that uses them.
    public func replaceModels(_ models: CascadeModels) {
        changes.withLock { _ in board.replace(models, routes: newRoutes(for: models)) }
    }

    /// Rebuilds the routes of every lane after a change of the sinks.
    public func renewRoutes() {
        changes.withLock { _ in
            let routes = newRoutes(for: board.models)
            board.monitor.withLock { _ in
                for (lane, routes) in routes { lane.queue.routes = routes }
            }
        }
    }

    private func newRoutes(for models: CascadeModels) -> [(CascadeLane, AnswerRoutes)] {
        board.monitor.withLock { $0.lanes.open }.map { ($0, $0.routing.routes(for: models)) }
    }

    // MARK: Monitoring

    /// Lines of the lane that were read and not yet delivered.
    public func linesUnderWay(in lane: CascadeLane) -> Int { board.monitor.withLock { _ in lane.queue.linesUnderWay } }

    public struct Depths: Sendable, Equatable {
        /// Lines in the teacher's queue.
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
                teacherQueue: state.teacher.lines.count,
                lanes: state.lanes.open.map { lane in
                    Depths.Lane(
                        source: lane.options.source, pending: lane.queue.linesUnderWay,
                        jobsInFlight: lane.queue.jobsInFlight)
                })
        }
    }

    public var circuit: TeacherCircuit { board.monitor.withLock { $0.teacher.circuit } }

    /// Checks the liveness of the workers. Returns the number of workers that did not respond within `patience`
    /// nanoseconds; 0 if all did.
    public func callWorkers(patience: UInt64) -> Int { board.callWorkers(patience: patience) }
}

/// Which model failed, and at what. The raw values are for the log.
public enum ModelFailure: String, Sendable {
    /// The student didn't score a batch; its lines are refused.
    case student = "student failed"
    /// The teacher didn't score a batch, or not in time.
    case teacher = "teacher failed"
    case teacherLoading = "teacher not loaded"
}

/// Receives the events that the tallies of finished jobs don't contain. The workers call it, so it must return quickly.
public protocol CascadeObserver: AnyObject, Sendable {
    /// The teacher has scored `lines` lines.
    func teacherPassed(lines: Int, nanoseconds: UInt64)
    func circuitChanged(_ circuit: TeacherCircuit)
}
