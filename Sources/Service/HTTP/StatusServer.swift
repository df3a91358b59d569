import Diagnostics
import Glibc
import Streams

/// A small HTTP server for `/metrics`, `/healthz`, `/readyz`, `/status` and the page `/`.
///
/// One thread waits in poll(2) for all clients, and gives the answers that are ready at once, `/healthz` among them;
/// without clients it sleeps without a timer. A second thread computes the others, one after another, so that a slow one
/// delays no quick one. Neither needs Swift's cooperative pool. What a client may take is bounded by `ServerLimits`: a
/// silent, slow, greedy or confused one costs little and ends, and the daemon's descriptors can't run out by it. The
/// server doesn't end when accept(2) fails for want of descriptors.
public final class StatusServer: Sendable {
    private enum Life {
        case listening
        case serving([WorkerThread])
        case stopping
        case ended
    }

    private struct State {
        var life = Life.listening
        /// Answers to compute, by connection.
        var requests: [(connection: UInt64, request: RequestHead)] = []
        /// Answers that have been computed.
        var answers: [(connection: UInt64, response: StatusResponse)] = []

        var isStopping: Bool {
            switch life {
            case .listening, .serving: false
            case .stopping, .ended: true
            }
        }
    }

    private enum Signal {
        /// There is a request, or the server stops.
        static let work = 0
        static let ended = 1
        static let count = 2
    }

    /// Where it listens, with the port that was taken.
    public var address: StatusAddress { socket.address }

    private let socket: ListeningSocket
    private let routes: StatusRoutes
    private let limits: ServerLimits
    private let clock: DaemonClock
    private let monitor = Monitor(State(), conditions: Signal.count)
    private let wake: Wake

    /// Listens from now on; clients wait until `start()`.
    ///
    /// Throws `cannotCreate`, with the address and what to do, when the address can't be taken.
    public init(
        address: StatusAddress, routes: StatusRoutes, limits: ServerLimits = ServerLimits(),
        clock: DaemonClock = .system
    ) throws(UnderstudyError) {
        wake = try Wake()
        socket = try ListeningSocket(address)
        self.routes = routes
        self.limits = limits
        self.clock = clock
    }

    deinit {
        // A server that was never started still has its socket; one that runs is held by its threads.
        if case .listening = monitor.withLock({ $0.life }) { socket.close() }
    }

    /// Serves from now on, on two threads of its own. Does nothing after `stop()`.
    ///
    /// Throws `tryAgain` when a thread can't be started; the socket is closed then.
    public func start() throws(UnderstudyError) {
        let failure = monitor.withLock { state -> UnderstudyError? in
            guard case .listening = state.life else { return nil }
            var threads: [WorkerThread] = []
            defer { state.life = .serving(threads) }
            do throws(UnderstudyError) {
                // Neither thread goes beyond this lock before both are noted.
                threads.append(try WorkerThread(name: "status") { [self] in serve() })
                threads.append(try WorkerThread(name: "status answers") { [self] in computeAnswers() })
                return nil
            } catch {
                return error
            }
        }
        if let failure {
            stop()
            throw failure
        }
    }

    /// Ends the threads, closes the socket and removes its path; clients that are being served are cut off. Returns when
    /// that is done; an answer that is being computed is waited for.
    public func stop() {
        let threads = monitor.withLock { state -> [WorkerThread]? in
            let threads: [WorkerThread]
            switch state.life {
            case .listening: threads = []
            case .serving(let running): threads = running
            case .stopping, .ended: return nil
            }
            state.life = .stopping
            return threads
        }
        guard let threads else {
            monitor.wait(on: Signal.ended) { state -> Void? in
                if case .ended = state.life { return () }
                return nil
            }
            return
        }
        monitor.broadcast(Signal.work)
        wake.signal()
        for thread in threads { thread.join() }
        socket.close()
        monitor.withLock { $0.life = .ended }
        monitor.broadcast(Signal.ended)
    }

    // MARK: The thread that computes answers

    private func computeAnswers() {
        while let next = nextRequest() {
            let response = routes.slowResponse(to: next.request)
            monitor.withLock { $0.answers.append((next.connection, response)) }
            wake.signal()
        }
    }

    /// Waits for a request; nil when the server stops.
    private func nextRequest() -> (connection: UInt64, request: RequestHead)? {
        monitor.wait(on: Signal.work) { state -> (connection: UInt64, request: RequestHead)?? in
            if state.isStopping { return .some(nil) }
            return state.requests.isEmpty ? nil : .some(state.requests.removeFirst())
        }
    }

    // MARK: The thread that serves clients

    private func serve() {
        var connections: [StatusConnection] = []
        var nextID: UInt64 = 0
        var pausedUntil = 0.0
        while !monitor.withLock({ $0.isStopping }) {
            let isFull = connections.count >= limits.connections
            let now = clock.monotonic()
            let accepts = now >= pausedUntil && (!isFull || connections.contains { $0.mayMakeWay(at: now) })
            var waits = [pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0)]
            waits.append(pollfd(fd: accepts ? socket.descriptor : -1, events: Int16(POLLIN), revents: 0))
            for connection in connections {
                waits.append(pollfd(fd: connection.descriptor, events: connection.events, revents: 0))
            }
            let wait = timeout(connections, accepts: accepts, pausedUntil: pausedUntil, now: now)
            poll(&waits, nfds_t(waits.count), wait)
            wake.clear()
            advance(&connections, waits.dropFirst(2))
            deliver(to: &connections)
            connections.removeAll { $0.isEnded }
            if waits[1].revents != 0 {
                let moment = clock.monotonic()
                if !accept(into: &connections, nextID: &nextID, at: moment) {
                    pausedUntil = moment + limits.pauseSeconds
                }
            }
        }
        for index in connections.indices { connections[index].end() }
    }

    /// Milliseconds until something is due; -1 without clients.
    private func timeout(
        _ connections: [StatusConnection], accepts: Bool, pausedUntil: Double, now: Double
    ) -> Int32 {
        var due = connections.map(\.deadline).min() ?? .infinity
        if !accepts {
            due = min(due, now < pausedUntil ? pausedUntil : now + limits.graceSeconds)
        }
        guard due.isFinite else { return -1 }
        return Int32(max(0, min(60_000, ((due - now) * 1000).rounded(.up))))
    }

    private func advance(_ connections: inout [StatusConnection], _ waits: ArraySlice<pollfd>) {
        let now = clock.monotonic()
        for (index, wait) in zip(connections.indices, waits) {
            if wait.revents != 0, let request = connections[index].advance(at: now) {
                if let response = routes.quickResponse(to: request) {
                    connections[index].respond(response, at: now)
                } else {
                    let id = connections[index].id
                    monitor.withLock { $0.requests.append((id, request)) }
                    monitor.signal(Signal.work)
                }
            } else if now >= connections[index].deadline {
                connections[index].expire(at: now)
            }
        }
    }

    private func deliver(to connections: inout [StatusConnection]) {
        let answers = monitor.withLock { state in
            // A client that left, or was told that the answer takes too long, needs no answer any more.
            state.requests.removeAll { entry in
                !connections.contains { $0.id == entry.connection && $0.isAwaitingAnswer }
            }
            defer { state.answers = [] }
            return state.answers
        }
        let now = clock.monotonic()
        for answer in answers {
            let index = connections.firstIndex { $0.id == answer.connection && $0.isAwaitingAnswer }
            if let index { connections[index].respond(answer.response, at: now) }
        }
    }

    /// Takes the clients that wait, as far as there is room; false if that failed for want of something.
    private func accept(into connections: inout [StatusConnection], nextID: inout UInt64, at now: Double) -> Bool {
        while true {
            let isFull = connections.count >= limits.connections
            // The first in the list has been here longest.
            let leaving = isFull ? connections.firstIndex { $0.mayMakeWay(at: now) } : nil
            guard !isFull || leaving != nil else { return true }
            let descriptor = Glibc.accept(socket.descriptor, nil, nil)
            guard descriptor >= 0 else {
                let failure = errno
                // A client that left before it was taken is no failure.
                if failure == EAGAIN || failure == ECONNABORTED || failure == EINTR { return true }
                // Out of descriptors before our own bound: those that say nothing make way all the same.
                if let idle = connections.firstIndex(where: { $0.mayMakeWay(at: now) }) {
                    connections[idle].end()
                    connections.remove(at: idle)
                }
                return false
            }
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            if let leaving {
                connections[leaving].end()
                connections.remove(at: leaving)
            }
            nextID += 1
            connections.append(StatusConnection(id: nextID, descriptor: descriptor, limits: limits, now: now))
        }
    }
}
