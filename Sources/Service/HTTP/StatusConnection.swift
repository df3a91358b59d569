import Glibc

/// One client of the status server: one request and one response.
struct StatusConnection {
    enum State {
        /// The request is being read.
        case reading
        /// The response is being computed.
        case answering
        /// The response is being written, from this byte on.
        case writing([UInt8], from: Int)
        /// Everything is written; waiting for the client to close. Further input is discarded.
        case closing(discarded: Int)
        /// The connection has ended.
        case ended
    }

    let id: UInt64
    let descriptor: Int32
    private(set) var state = State.reading
    /// Deadline of the present state.
    private(set) var deadline: Double
    /// Time of the last input from the client, or of its connection.
    private(set) var heard: Double
    private var head: [UInt8] = []
    private var headEnd = RequestHeadEnd()
    /// The request is HEAD.
    private var omitsBody = false
    private let limits: ServerLimits

    init(id: UInt64, descriptor: Int32, limits: ServerLimits, now: Double) {
        self.id = id
        self.descriptor = descriptor
        self.limits = limits
        heard = now
        deadline = now + limits.stepSeconds
    }

    /// The poll events to wait for.
    var events: Int16 {
        switch state {
        case .reading, .closing: Int16(POLLIN)
        case .writing: Int16(POLLOUT)
        // Errors and hang-ups are always reported.
        case .answering, .ended: 0
        }
    }

    var isEnded: Bool {
        if case .ended = state { return true }
        return false
    }

    var isAwaitingAnswer: Bool {
        if case .answering = state { return true }
        return false
    }

    /// Returns whether the connection may be replaced by another client's.
    func mayMakeWay(at now: Double) -> Bool {
        if case .answering = state { return false }
        return now - heard >= limits.graceSeconds
    }

    /// Reads or writes as far as possible without blocking. Returns the request once it is complete.
    mutating func advance(at now: Double) -> RequestHead? {
        switch state {
        case .reading: return readHead(at: now)
        case .writing(let bytes, let start): write(bytes, from: start, at: now)
        case .closing(let discarded): discard(after: discarded)
        // The client has disconnected, so the response is dropped.
        case .answering: end()
        case .ended: break
        }
        return nil
    }

    mutating func respond(_ response: StatusResponse, at now: Double) {
        deadline = now + limits.stepSeconds
        write(response.bytes(withBody: !omitsBody), from: 0, at: now)
    }

    /// Handles the deadline of the present state.
    mutating func expire(at now: Double) {
        switch state {
        case .answering: respond(StatusResponse(.unavailable, "the daemon didn't respond in time"), at: now)
        case .reading, .writing, .closing, .ended: end()
        }
    }

    mutating func end() {
        guard !isEnded else { return }
        close(descriptor)
        state = .ended
    }

    private mutating func readHead(at now: Double) -> RequestHead? {
        while case .reading = state {
            guard let bytes = receive() else { return nil }
            heard = now
            head += bytes
            guard headEnd.isReached(by: bytes) else {
                if head.count > limits.headBytes {
                    respond(StatusResponse(.headTooLarge, "the request is too long"), at: now)
                }
                continue
            }
            switch RequestHead.read(head) {
            case .complete(let request):
                state = .answering
                deadline = now + limits.stepSeconds
                omitsBody = request.method == "HEAD"
                head = []
                return request
            case .malformed, .incomplete:
                respond(StatusResponse(.badRequest, "this isn't an HTTP/1.1 request"), at: now)
            }
        }
        return nil
    }

    private mutating func write(_ bytes: [UInt8], from start: Int, at now: Double) {
        var position = start
        while position < bytes.count {
            let sent = bytes.withUnsafeBytes { buffer in
                send(
                    descriptor, buffer.baseAddress?.advanced(by: position), bytes.count - position,
                    Int32(MSG_NOSIGNAL))
            }
            if sent > 0 {
                position += sent
                heard = now
            } else if sent < 0, errno == EINTR {
                continue
            } else if sent < 0, errno == EAGAIN {
                state = .writing(bytes, from: position)
                return
            } else {
                return end()
            }
        }
        // Closing with unread input would reset the connection, and the response might be lost.
        shutdown(descriptor, Int32(SHUT_WR))
        deadline = now + limits.stepSeconds
        discard(after: 0)
    }

    private mutating func discard(after before: Int) {
        var discarded = before
        state = .closing(discarded: discarded)
        while discarded <= limits.discardedBytes {
            guard let bytes = receive() else {
                if !isEnded { state = .closing(discarded: discarded) }
                return
            }
            discarded += bytes.count
        }
        end()
    }

    /// Returns the available input; nil if there is none, or if the client has disconnected, which ends the connection.
    private mutating func receive() -> ArraySlice<UInt8>? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let length = recv(descriptor, &buffer, buffer.count, 0)
            if length > 0 { return buffer[..<length] }
            if length < 0, errno == EINTR { continue }
            if length < 0, errno == EAGAIN { return nil }
            end()
            return nil
        }
    }
}
