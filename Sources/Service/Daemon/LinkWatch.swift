import CFiles
import Diagnostics
import Glibc
import Streams

/// Watches a path for being made or renamed onto: a model link that flips. One thread, asleep until something happens.
final class LinkWatch: Sendable {
    private let wake: Wake
    private let thread: WorkerThread
    private let descriptor: Int32

    /// Calls `changed`, from a thread of its own, whenever something new stands at `path`. The directory of `path` must
    /// be there.
    init(path: String, changed: @escaping @Sendable () -> Void) throws(UnderstudyError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        let name = String(parts.last ?? "")
        let directory = (path.hasPrefix("/") ? "/" : "./") + parts.dropLast().joined(separator: "/")
        let descriptor = inotify_init1(Int32(IN_CLOEXEC.rawValue) | Int32(IN_NONBLOCK.rawValue))
        guard descriptor >= 0 else { throw Self.failure(path) }
        let events = UInt32(IN_MOVED_TO) | UInt32(IN_CREATE)
        guard inotify_add_watch(descriptor, directory, events) >= 0 else {
            let error = Self.failure(path)
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        let wake = try Wake()
        self.wake = wake
        thread = try WorkerThread(name: "link") {
            Self.run(descriptor, wake, name, changed)
        }
    }

    /// Ends the watching.
    func stop() {
        wake.signal()
        thread.join()
        close(descriptor)
    }

    private static func run(_ descriptor: Int32, _ wake: Wake, _ name: String, _ changed: () -> Void) {
        var requests = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 8192, alignment: 8)
        defer { room.deallocate() }
        while true {
            guard poll(&requests, 2, -1) >= 0 else { continue }
            if requests[1].revents != 0 { return }
            let count = read(descriptor, room.baseAddress, room.count)
            if count > 0, holds(name, UnsafeRawBufferPointer(rebasing: room[..<count])) { changed() }
        }
    }

    /// Whether one of the events (inotify(7)) is about `name`, or events have been lost.
    private static func holds(_ name: String, _ events: UnsafeRawBufferPointer) -> Bool {
        var place = 0
        let header = MemoryLayout<inotify_event>.size
        while place + header <= events.count {
            let event = events.loadUnaligned(fromByteOffset: place, as: inotify_event.self)
            let text = events[(place + header)..<(place + header + Int(event.len))].prefix { $0 != 0 }
            if event.mask & UInt32(IN_Q_OVERFLOW) != 0 || text.elementsEqual(name.utf8) { return true }
            place += header + Int(event.len)
        }
        return false
    }

    private static func failure(_ path: String) -> UnderstudyError {
        UnderstudyError(
            .tryAgain, "changes of the student can't be watched (\(String(cString: strerror(errno)))); send SIGHUP to"
                + " have a new one taken up", at: path)
    }
}
