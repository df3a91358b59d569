import Diagnostics
import Foundation
import Streams
import TestSupport
import Testing

@Suite(.offPool) struct StandardOutputSinkTests {
    let notes = SinkNotes()

    init() { signal(SIGPIPE, SIG_IGN) }

    /// A sink that writes to a pipe, the pipe's reader, and the writing end.
    private func piped(_ whenFull: WhenFull = .block) throws -> (StandardOutputSink, FlowReader, Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let sink = try StandardOutputSink(
            name: "out", whenFull: whenFull, descriptor: ends[1], report: notes.report)
        return (sink, try FlowReader(descriptor: ends[0]), ends[1])
    }

    @Test func aSlowReaderIsWaitedFor() throws {
        let (sink, reader, end) = try piped()
        defer { close(end) }
        let text = (0..<2000).map { "第\($0)条\(String(repeating: "x", count: 300))\n" }.joined()
        let delivery = try Delivery(sink, text)
        try reader.read(until: text.utf8.count)
        #expect(try delivery.wait() == .delivered)
        #expect(reader.text == text)
    }

    @Test func itsReadersGoingIsTheEnd() throws {
        let (sink, reader, end) = try piped()
        defer { close(end) }
        let delivery = try Delivery(sink, String(repeating: "股市上涨\n", count: 20_000))
        try reader.read(until: 10)
        reader.leave()
        #expect(try delivery.wait() == .closed)
        #expect(sink.deliver("又一条\n") == .closed)
    }

    @Test func aSinkThatDropsFinishesWhatItHasBegun() throws {
        let (sink, reader, end) = try piped(.drop)
        defer { close(end) }
        let large = (0..<50).map { "第\($0)条\(String(repeating: "x", count: 5000))\n" }.joined()
        sink.expectToFinish(large, reader)
    }

    @Test func aDeliveryThatWaitsCanBeInterrupted() throws {
        let (sink, reader, end) = try piped()
        defer { close(end) }
        let delivery = try Delivery(sink, String(repeating: "股市上涨\n", count: 20_000))
        try reader.read(until: 10)
        sink.interrupt()
        #expect(try delivery.wait() == .interrupted)
        #expect(sink.deliver("又一条\n") == .interrupted)
        // The descriptor stays as it was: other programs may share it.
        #expect(fcntl(end, F_GETFL) & O_NONBLOCK == 0)
    }

    @Test func aFileTakesEverything() throws {
        let folder = try TemporaryFolder()
        let file = open(folder.file("out"), O_WRONLY | O_CREAT, 0o600)
        try #require(file >= 0)
        defer { close(file) }
        let sink = try StandardOutputSink(name: "out", descriptor: file, report: notes.report)
        let text = String(repeating: "股市上涨\n", count: 200_000)
        #expect(sink.deliver(text) == .delivered)
        #expect(folder.bytes(of: "out") == Array(text.utf8))
    }

    @Test func aFullDiskIsReportedOnceAndWaitedOut() throws {
        let full = open("/dev/full", O_WRONLY)
        try #require(full >= 0)
        defer { close(full) }
        let blocking = try StandardOutputSink(name: "out", descriptor: full, report: notes.report)
        let delivery = try Delivery(blocking, "第一条\n")
        try notes.waitForReport("No space left")
        #expect(!delivery.isFinished)
        blocking.interrupt()
        #expect(try delivery.wait() == .interrupted)
        let dropping = try StandardOutputSink(
            name: "out", whenFull: .drop, descriptor: full, report: notes.report)
        for _ in 0..<5 { #expect(dropping.deliver("第一条\n") == .dropped) }
        #expect(notes.count("No space left") == 2)
    }

    @Test func aClosedDescriptorIsTheEnd() throws {
        let sink = try StandardOutputSink(name: "out", descriptor: 1 << 20, report: notes.report)
        #expect(sink.deliver("第一条\n") == .closed)
    }
}
