import Diagnostics
import Glibc
import Streams

/// A small HTTP server for `/metrics`, `/healthz`, `/readyz`, `/status` and the page `/`.
///
/// One thread waits in poll(2) for all clients and sends the responses that need no waiting, such as `/healthz`;
/// without clients it sleeps without a timer. A second thread computes the other responses one after another, so that a
/// slow one doesn't delay quick ones. Neither uses Swift's cooperative pool. `ServerLimits` bounds the resources of a
/// client: a silent, slow, greedy or faulty one costs little, is disconnected, and can't exhaust the daemon's
/// descriptors. The server continues if accept(2) fails for lack of descriptors.
public final class StatusServer: Sendable {
    private enum Life {
        case listening
        case serving([WorkerThread])
        case stopping
        case ended
    }

    private struct State {
        var life = Life.listening
        /// Requests to compute, by connection.
        var requests: [(connection: UInt64, request: RequestHead)] = []
        /// Computed responses, by connection.
        var answers: [(connection: UInt64, response: StatusResponse)] = []

        var isStopping: Bool {
            switch life {
            case .listening, .serving: false
            case .stopping, .ended: true
            }
        }
    }

    private enum Signal {
        /// There is a request, or the server is stopping.
        static let work = 0
        static let ended = 1
        static let count = 2
    }

    /// The address it listens on, with the actual port.
    public var address: StatusAddress { socket.address }

    private let socket: ListeningSocket
    private let routes: StatusRoutes
    private let limits: ServerLimits
    private let clock: DaemonClock
    private let monitor = Monitor(State(), conditions: Signal.count)
    private let wake: Wake

    /// Starts listening; clients wait until `start()`.
    ///
    /// Throws `cannotCreate`, with the address and the remedy, if the address can't be used.
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
        // A server that was never started still has its socket; threads of a running one retain it.
        if case .listening = monitor.withLock({ $0.life }) { socket.close() }
    }

    /// Starts serving on two threads of its own. Does nothing after `stop()`.
    ///
    /// Throws `tryAgain` if a thread can't be started; the socket is closed then.
    public func start() throws(UnderstudyError) {
        let failure = monitor.withLock { state -> UnderstudyError? in
            guard case .listening = state.life else { return nil }
            var threads: [WorkerThread] = []
            defer { state.life = .serving(threads) }
            do throws(UnderstudyError) {
                // Neither thread passes this lock before both are stored.
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

    /// Ends the threads, closes the socket and removes its path. Clients being served are disconnected. Waits for a
    /// response that is being computed.
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

    // MARK: The thread that computes responses

    private func computeAnswers() {
        while let next = nextRequest() {
            let response = routes.slowResponse(to: next.request)
            monitor.withLock { $0.answers.append((next.connection, response)) }
            wake.signal()
        }
    }

    /// Waits for a request. Returns nil when the server stops.
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

    /// Milliseconds until the next deadline; -1 without clients.
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
            // Requests of clients that have disconnected or timed out are dropped.
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

    /// Accepts the waiting clients as far as there is room. Returns false if accept(2) failed for lack of resources.
    private func accept(into connections: inout [StatusConnection], nextID: inout UInt64, at now: Double) -> Bool {
        while true {
            let isFull = connections.count >= limits.connections
            // The first one in the list is the oldest.
            let leaving = isFull ? connections.firstIndex { $0.mayMakeWay(at: now) } : nil
            guard !isFull || leaving != nil else { return true }
            let descriptor = Glibc.accept(socket.descriptor, nil, nil)
            guard descriptor >= 0 else {
                let failure = errno
                // A client that disconnected before it was accepted is no failure.
                if failure == EAGAIN || failure == ECONNABORTED || failure == EINTR { return true }
                // Descriptors ran out below the connection limit: idle clients are disconnected as well.
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

/// The limits of a client of the status server.
public struct ServerLimits: Sendable {
    /// Maximum number of connections: far above the usual few, and far below the limit on descriptors.
    public var connections = 64
    /// Maximum size of a request's head, in bytes.
    public var headBytes = 8192
    /// Time limit in seconds for each of: sending the request, computing the response, receiving the response.
    public var stepSeconds = 5.0
    /// Seconds of silence after which a client may be disconnected for another one if all connections are in use.
    public var graceSeconds = 0.1
    /// Pause in seconds after a failed accept(2), for example for lack of descriptors.
    public var pauseSeconds = 0.1
    /// Maximum bytes of a request's body that are read and discarded, so that a reset doesn't lose the response.
    public var discardedBytes = 1_048_576

    public init() {}
}

/// A listening socket. `close()` closes it and removes its path.
struct ListeningSocket: Sendable {
    /// The address with the actual port.
    let address: StatusAddress
    let descriptor: Int32
    /// Identify our socket at the path, which another process may have replaced.
    private let device: dev_t
    private let inode: ino_t

    init(_ address: StatusAddress) throws(UnderstudyError) {
        if case .unix(let path) = address { try Self.removeStale(path, address) }
        let descriptor = address.makeSocket(nonBlocking: true)
        guard descriptor >= 0 else { throw Self.failure(address, errno) }
        do throws(UnderstudyError) {
            try Self.bind(descriptor, address)
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        var status = stat()
        switch address {
        case .unix(let path):
            self.address = address
            if lstat(path, &status) != 0 { status = stat() }
        case .port(let host, _):
            self.address = .port(host: host, Self.port(descriptor))
        }
        device = status.st_dev
        inode = status.st_ino
    }

    func close() {
        if case .unix(let path) = address {
            var status = stat()
            if lstat(path, &status) == 0, status.st_dev == device, status.st_ino == inode { unlink(path) }
        }
        Glibc.close(descriptor)
    }

    private static func bind(_ descriptor: Int32, _ address: StatusAddress) throws(UnderstudyError) {
        if case .port = address {
            // Allows a restart to use the port at once while old connections linger.
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        }
        guard address.withSocketAddress({ Glibc.bind(descriptor, $0, $1) }) == 0 else {
            throw failure(address, errno)
        }
        // No client can connect before listen(2), so the permissions apply from the first client on.
        if case .unix(let path) = address, chmod(path, 0o660) != 0 { throw failure(address, errno) }
        guard listen(descriptor, SOMAXCONN) == 0 else { throw failure(address, errno) }
    }

    /// Removes the socket of a killed process, on which no process listens.
    private static func removeStale(_ path: String, _ address: StatusAddress) throws(UnderstudyError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw UnderstudyError(
                .cannotCreate, "the status can't be served here: the file isn't a socket; remove it",
                at: path)
        }
        let probe = address.makeSocket(nonBlocking: true)
        guard probe >= 0 else { throw failure(address, errno) }
        defer { Glibc.close(probe) }
        let answered = address.withSocketAddress { connect(probe, $0, $1) }
        // Only ECONNREFUSED means that no process listens; a full queue (EAGAIN) has a listener.
        guard answered != 0, errno == ECONNREFUSED else { throw failure(address, EADDRINUSE) }
        unlink(path)
    }

    private static func port(_ descriptor: Int32) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { return 0 }
        // The port has the same offset in both families.
        return withUnsafeBytes(of: storage) { UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) }
    }

    private static func failure(_ address: StatusAddress, _ code: Int32) -> UnderstudyError {
        let reason: String
        switch code {
        case EADDRINUSE: reason = "another process listens there; stop it, or choose another address under http.listen"
        case EACCES, EPERM: reason = "permission denied; choose another address under http.listen"
        case ENOENT: reason = "the directory doesn't exist; create it, or choose another address under http.listen"
        default: reason = String(cString: strerror(code))
        }
        return UnderstudyError(.cannotCreate, "the status can't be served at \(address): \(reason)")
    }
}
