import Glibc
import Streams
import Testing

/// The other side of a flow sink: reads what has come, as far as it is asked to.
final class FlowReader {
    private var descriptor: Int32
    private(set) var bytes: [UInt8] = []

    init(descriptor: Int32) throws {
        try #require(descriptor >= 0)
        self.descriptor = descriptor
    }

    /// Comes to a FIFO without waiting for a writer.
    convenience init(fifo path: String) throws {
        try self.init(descriptor: open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC))
    }

    deinit { leave() }

    func leave() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Reads until there are `count` bytes in all.
    func read(until count: Int) throws {
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        try waitUntil {
            var room = [UInt8](repeating: 0, count: 64 << 10)
            while bytes.count < count {
                let got = Glibc.read(descriptor, &room, min(room.count, count - bytes.count))
                guard got > 0 else { return false }
                bytes += room[..<got]
            }
            return true
        }
    }

    /// Reads what is there now.
    func readAll() {
        var room = [UInt8](repeating: 0, count: 64 << 10)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        while true {
            let got = Glibc.read(descriptor, &room, room.count)
            guard got > 0 else { return }
            bytes += room[..<got]
        }
    }
}

/// A delivery on a thread of its own.
final class Delivery {
    private let outcome = Monitor([FlowOutcome](), conditions: 1)
    private let thread: WorkerThread

    init(_ sink: any FlowSink, _ text: String) throws {
        let outcome = outcome
        thread = try WorkerThread(name: "delivers") {
            let result = sink.deliver(text)
            outcome.withLock { $0.append(result) }
        }
    }

    var isFinished: Bool { outcome.withLock { !$0.isEmpty } }

    func wait() throws -> FlowOutcome? {
        try waitUntil { isFinished }
        thread.join()
        return outcome.withLock { $0.first }
    }
}
