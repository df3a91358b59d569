import Diagnostics
import Foundation
import Glibc
import Streams
import Synchronization

/// A small HTTP server for `/metrics`, `/healthz`, `/readyz`, `/status` and the page `/`.
///
/// One thread waits in poll(2) for all clients; without clients it sleeps without a timer. What a client may take is
/// bounded by `ServerLimits`: a silent, slow, greedy or confused one costs little and ends, and the daemon's descriptors
/// can't run out by it. Nor does it end when accept(2) fails for want of descriptors.
public final class StatusServer: Sendable {
    private enum Life {
        case listening
        case running
        case ended
    }

    private struct Shared {
        var life = Life.listening
        var stopping = false
        /// Answers that have been computed, by connection.
        var answers: [(connection: UInt64, response: StatusResponse)] = []
    }

    /// Where it listens, with the port that was taken.
    public var address: StatusAddress { socket.address }

    private let socket: ListeningSocket
    private let routes: StatusRoutes
    private let limits: ServerLimits
    private let clock: DaemonClock
    private let shared = Mutex(Shared())
    private let wake: Wake

    /// Listens from now on; clients wait until `run()`.
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
        // A server that never ran still has its socket.
        if shared.withLock({ $0.life }) == .listening { socket.close() }
    }

    /// Serves until `stop()` or until the task is cancelled; then closes the socket and removes its path.
    public func run() async {
        let mayRun = shared.withLock { shared in
            defer { shared.life = .running }
            return shared.life == .listening
        }
        guard mayRun else { return }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let thread = Thread { [self] in
                    serve()
                    continuation.resume()
                }
                thread.name = "status"
                thread.start()
            }
        } onCancel: {
            stop()
        }
    }

    /// Ends `run()`; clients that are being served are cut off.
    public func stop() {
        shared.withLock { $0.stopping = true }
        wake.signal()
    }

    // MARK: The thread

    private func serve() {
        var connections: [StatusConnection] = []
        var nextID: UInt64 = 0
        var pausedUntil = 0.0
        while !shared.withLock({ $0.stopping }) {
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
        socket.close()
        shared.withLock { $0.life = .ended }
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
                answer(request, for: connections[index].id)
            } else if now >= connections[index].deadline {
                connections[index].expire(at: now)
            }
        }
    }

    private func answer(_ request: RequestHead, for id: UInt64) {
        Task { [self] in
            let response = await routes.response(to: request)
            shared.withLock { $0.answers.append((id, response)) }
            wake.signal()
        }
    }

    private func deliver(to connections: inout [StatusConnection]) {
        let answers = shared.withLock { shared in
            defer { shared.answers = [] }
            return shared.answers
        }
        let now = clock.monotonic()
        for answer in answers {
            // Gone if the client left, or was told that it takes too long.
            guard let index = connections.firstIndex(where: { $0.id == answer.connection }) else { continue }
            if case .answering = connections[index].state { connections[index].respond(answer.response, at: now) }
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
