import Diagnostics
import Glibc
import Streams
import TestSupport
import Testing

@Suite(.offPool) struct SocketSinkTests {
    let folder: TemporaryFolder
    let notes = SinkNotes()
    let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("s")
    }

    private func sink(_ whenFull: WhenFull = .block) throws -> SocketSink {
        try SocketSink(name: "socket", path: path, whenFull: whenFull, report: notes.report)
    }

    @Test func connectsWhenThereIsSomethingToDeliver() throws {
        let listener = try Listener(path)
        let sink = try sink()
        #expect(!listener.hasConnection)
        #expect(sink.deliver("第一条\n") == .delivered)
        #expect(sink.deliver("第二条\n") == .delivered)
        let peer = try listener.accept()
        peer.readAll()
        #expect(peer.text == "第一条\n第二条\n")
        #expect(notes.reported.isEmpty)
    }

    @Test func aListenerThatComesLaterIsWaitedFor() throws {
        let sink = try sink()
        let delivery = try Delivery(sink, "第一条\n")
        try notes.waitForReport("no process listens")
        let listener = try Listener(path)
        #expect(try delivery.wait() == .delivered)
        let peer = try listener.accept()
        peer.readAll()
        #expect(peer.text == "第一条\n")
        #expect(notes.reported.count == 2)
    }

    @Test func theNextPeerGetsTheInterruptedRecordFromItsStart() throws {
        let listener = try Listener(path)
        let sink = try sink()
        let records = (0..<3).map { "第\($0)条" + String(repeating: "x", count: 400_000) + "\n" }
        let delivery = try Delivery(sink, records.joined())
        let peer = try listener.accept()
        try peer.read(until: 500_000)
        // Leaving with bytes unread is a reset for the sink.
        peer.leave()
        let next = try listener.accept()
        try next.read(until: records[2].utf8.count)
        if next.text != records[2] { try next.read(until: records[1...].joined().utf8.count) }
        #expect(try delivery.wait() == .delivered)
        #expect(next.text == records[2] || next.text == records[1...].joined())
    }

    @Test func aSinkThatDropsDropsWhileNobodyListens() throws {
        let sink = try sink(.drop)
        for _ in 0..<5 { #expect(sink.deliver("第一条\n") == .dropped) }
        #expect(notes.reported.count == 1)
        let listener = try Listener(path)
        // It tries again after a pause, so a few more may be dropped.
        while sink.deliver("第二条\n") == .dropped { sched_yield() }
        let peer = try listener.accept()
        peer.readAll()
        #expect(peer.text == "第二条\n")
    }

    @Test func aPeerThatDoesNotReadMakesItDropWholeRecords() throws {
        let listener = try Listener(path)
        let sink = try sink(.drop)
        var delivered = ""
        var dropped = 0
        for number in 0..<400 {
            let record = "第\(number)条" + String(repeating: "x", count: 3000) + "\n"
            switch sink.deliver(record) {
            case .delivered: delivered += record
            case .dropped: dropped += 1
            default: Issue.record("neither delivered nor dropped")
            }
        }
        #expect(dropped > 0 && !delivered.isEmpty)
        let peer = try listener.accept()
        peer.readAll()
        while sink.deliver("又一条\n") == .dropped { peer.readAll() }
        peer.readAll()
        #expect(peer.text == delivered + "又一条\n")
    }

    @Test func aDeliveryThatWaitsCanBeInterrupted() throws {
        let waiting = try sink()
        let first = try Delivery(waiting, "第一条\n")
        try notes.waitForReport("no process listens")
        waiting.interrupt()
        #expect(try first.wait() == .interrupted)
        let listener = try Listener(path)
        let full = try sink()
        let second = try Delivery(full, String(repeating: "x", count: 4_000_000) + "\n")
        let peer = try listener.accept()
        try peer.read(until: 1)
        full.interrupt()
        #expect(try second.wait() == .interrupted)
    }

    @Test func aPathThatIsTooLongIsRefused() throws {
        let error = #expect(throws: UnderstudyError.self) {
            try SocketSink(name: "socket", path: "/" + String(repeating: "s", count: 107), report: notes.report)
        }
        #expect(error?.code == .configuration)
    }

    @Test func whatIsNoSocketIsWaitedOut() throws {
        try folder.write("一\n", to: "s")
        let sink = try sink(.drop)
        #expect(sink.deliver("第一条\n") == .dropped)
        #expect(folder.bytes(of: "s") == Array("一\n".utf8))
    }
}

/// A listening Unix socket.
private final class Listener {
    private let descriptor: Int32

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let status = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(status == 0)
        try #require(listen(descriptor, 8) == 0)
    }

    deinit { close(descriptor) }

    var hasConnection: Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, 0) > 0
    }

    func accept() throws -> FlowReader { try FlowReader(descriptor: Glibc.accept(descriptor, nil, nil)) }
}
