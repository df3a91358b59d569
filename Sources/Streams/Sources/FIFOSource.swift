import Diagnostics
import Glibc

/// A named pipe that any number of writers open and leave as they like: only `interrupt` ends it.
///
/// What is removed or replaced under its path while it runs is noticed: a new FIFO is made or opened and the old one
/// read until its last writer has left. What is in the pipe when the source stops stays in it for as long as anybody
/// holds it open, such as systemd for `ListenFIFO=`.
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
    /// Those that have been removed or replaced and still have writers, oldest first.
    private var retired: [Int32] = []
    /// The one that bytes were last taken from: it is emptied before another is read, so that no line is torn.
    private var turn: Int32
    /// The one whose last bytes were no whole line.
    private var unfinished: Int32 = -1
    private var requests: [pollfd] = []

    /// Opens the FIFO, and makes it with `permissions` if it is missing. `inherited`: a descriptor of it that was
    /// handed over; it stays open, and whoever made it looks after the path.
    ///
    /// `report` is told what goes wrong and doesn't end the source.
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
            // Watched before it is opened, so that nothing happens unseen in between.
            var problem: UnderstudyError?
            do { watch = try NameWatch(path: path) } catch { problem = error }
            present = try NamedPipe(at: path, permissions: permissions)
            if let problem { report(problem) }
        }
        turn = present.descriptor
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
            // The next bytes mustn't become the rest of that line.
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

    /// Waits for a descriptor that has bytes or has ended; nil once interrupted.
    private func next() throws(UnderstudyError) -> Int32? {
        while true {
            requests.removeAll(keepingCapacity: true)
            for descriptor in [wake.descriptor, watch?.descriptor ?? -1] + retired + [present.descriptor] {
                requests.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
            }
            guard poll(&requests, nfds_t(requests.count), -1) >= 0 else {
                if errno == EINTR { continue }
                throw UnderstudyError(
                    .inputOutput, "can't wait for the FIFO: \(String(cString: strerror(errno)))", at: path)
            }
            if requests[0].revents != 0 { return nil }
            if requests[1].revents != 0, let old = look() { return old }
            let ready = requests.dropFirst(2).filter { $0.revents != 0 }
            if let found = ready.first(where: { $0.fd == turn }) ?? ready.first { return found.fd }
        }
    }

    /// Takes the news of the path. A descriptor that has been retired just now is given, to be looked into at once:
    /// poll doesn't tell of the end of a FIFO that had no writers by then.
    private func look() -> Int32? {
        switch watch?.take() {
        case nil, .nothing: return nil
        case .directoryGone:
            watch = nil
            report(
                UnderstudyError(
                    .missingInput, "the FIFO's directory has gone; make it again and restart or reload", at: path))
            return nil
        case .changed:
            return renew()
        }
    }

    private func renew() -> Int32? {
        guard !present.stands(at: path) else { return nil }
        let fresh: NamedPipe
        do { fresh = try NamedPipe(at: path, permissions: permissions) } catch {
            report(error)
            return nil
        }
        let old = present.descriptor
        let reading = present.retired()
        present = fresh
        retired.append(reading)
        if unfinished == old { unfinished = reading }
        turn = reading
        report(
            UnderstudyError(.missingInput, "the FIFO was removed or replaced; reading from the new one", at: path))
        return reading
    }

    private func letGo(_ descriptor: Int32) {
        retired.removeAll { $0 == descriptor }
        close(descriptor)
    }
}
