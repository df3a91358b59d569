import Diagnostics
import Glibc

/// A named pipe that any number of writers may open and close: only `interrupt` ends it.
///
/// Removal or replacement of the FIFO at its path is noticed: a new FIFO is created or opened, and the old one is read
/// until its last writer has closed it. When the source stops, the pipe's content is kept while any process holds the
/// pipe open, such as systemd for `ListenFIFO=`.
///
/// `@unchecked Sendable`: the variables are used by the one thread that reads; the rest never changes.
public final class FIFOSource: PipeSource, @unchecked Sendable {
    public let name: String
    private let path: String
    private let permissions: UInt32
    private let report: @Sendable (UnderstudyError) -> Void
    private let origin: SourceOrigin
    private let wake: Wake
    private var watch: NameWatch?
    private var isOpened = false
    private var present: NamedPipe
    /// Descriptors of FIFOs that were removed or replaced and still have writers, oldest first.
    private var retired: [Int32] = []
    /// The descriptor that bytes were last taken from: it is emptied before another is read, so that no line is torn.
    private var turn: Int32
    /// The descriptor whose last bytes were not a whole line.
    private var unfinished: Int32 = -1
    /// The waker, the watch, the retired descriptors, the current one.
    private var requests: [pollfd] = []
    /// Whether the path couldn't be examined, or the new FIFO not be created or opened, and the reason was reported.
    private var isInDoubt = false
    /// Milliseconds until the next attempt.
    private static let doubt: Int32 = 1000

    /// Opens the FIFO, and creates it with `permissions` if it is missing. `inherited`: a descriptor of it that was
    /// passed to the process; it stays open, and the process that passed it manages the path.
    ///
    /// `report` is called with problems that don't end the source.
    ///
    /// Errors: `configuration` if something else is at `path` or its directory is missing; `cannotCreate`,
    /// `missingInput`, `tryAgain`.
    public init(
        name: String, path: String, permissions: UInt32 = 0o620, inherited: Int32? = nil,
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        self.name = name
        self.path = path
        self.permissions = permissions
        self.report = report
        origin = .stream(source: name, path: path)
        wake = try Wake()
        if let inherited {
            present = try NamedPipe(inherited: inherited, path: path)
        } else {
            // The path is watched before it is opened, so that no change is missed in between.
            var problem: UnderstudyError?
            do { watch = try NameWatch(path: path) } catch { problem = error }
            present = try NamedPipe(at: path, permissions: permissions)
            if let problem { report(problem) }
        }
        turn = present.descriptor
        arm()
    }

    deinit {
        close(present.descriptor)
        for descriptor in retired { close(descriptor) }
    }

    public func interrupt() { wake.signal() }

    public func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> SourceEvent {
        guard isOpened else {
            isOpened = true
            return .opened(origin)
        }
        var number: Int32 = 0
        let event = try take { descriptor in
            let count = Glibc.read(descriptor, room.baseAddress, room.count)
            if count > 0 { return .bytes(count, endInLine: room[count - 1] == 0x0A) }
            number = errno
            return count == 0 ? .ended : number == EINTR || number == EAGAIN ? .again : .failed
        }
        switch event {
        case .bytes(let count): return .bytes(count)
        case .lineLeftOpen:
            // Ends the line, so that the next bytes don't continue it.
            room[0] = 0x0A
            return .bytes(1)
        case .end: return .end
        case .stopped: return .stopped
        case .failed:
            throw UnderstudyError(
                .inputOutput, "the FIFO can't be read: \(String(cString: strerror(number)))", at: path)
        }
    }

    var isPipe: Bool { true }

    func take(_ move: (Int32) -> PipeMove) throws(UnderstudyError) -> PipeEvent {
        while true {
            guard let descriptor = try next() else { return .stopped }
            switch move(descriptor) {
            case .bytes(let count, let endInLine):
                turn = descriptor
                unfinished = endInLine ? -1 : descriptor
                return .bytes(count)
            case .ended:
                letGo(descriptor)
                guard unfinished == descriptor else { continue }
                unfinished = -1
                return .lineLeftOpen
            case .again: continue
            case .failed: return .failed
            }
        }
    }

    /// Waits for a descriptor that is readable or has ended; nil once interrupted.
    private func next() throws(UnderstudyError) -> Int32? {
        while true {
            let count = poll(&requests, nfds_t(requests.count), isInDoubt ? Self.doubt : -1)
            guard count >= 0 else {
                if errno == EINTR { continue }
                throw UnderstudyError(
                    .inputOutput, "can't wait for the FIFO: \(String(cString: strerror(errno)))", at: path)
            }
            if count == 0 {
                renew()
                continue
            }
            if requests[0].revents != 0 { return nil }
            if requests[1].revents != 0 {
                look()
                continue
            }
            var found: Int32?
            for request in requests[2...] where request.revents != 0 {
                if request.fd == turn { return turn }
                if found == nil { found = request.fd }
            }
            if let found { return found }
        }
    }

    /// Must be called whenever the set of descriptors changes.
    private func arm() {
        requests = ([wake.descriptor, watch?.descriptor ?? -1] + retired + [present.descriptor]).map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
    }

    /// Handles the events of the path.
    private func look() {
        switch watch?.take() {
        case nil, .nothing: break
        case .directoryGone:
            watch = nil
            arm()
            report(
                UnderstudyError(
                    .missingInput, "the FIFO's directory was removed; create it again and restart or reload", at: path))
        case .changed: renew()
        }
    }

    private func renew() {
        let fresh: NamedPipe
        do throws(UnderstudyError) {
            guard try !present.stands(at: path) else {
                isInDoubt = false
                return
            }
            fresh = try NamedPipe(at: path, permissions: permissions)
            isInDoubt = false
        } catch {
            if !isInDoubt { report(error) }
            isInDoubt = true
            return
        }
        let old = present.descriptor
        let reading = present.retired()
        present = fresh
        retired.append(reading)
        if unfinished == old { unfinished = reading }
        turn = reading
        arm()
        report(
            UnderstudyError(.missingInput, "the FIFO was removed or replaced; reading from the new one", at: path))
    }

    private func letGo(_ descriptor: Int32) {
        retired.removeAll { $0 == descriptor }
        close(descriptor)
        arm()
    }
}
