import Diagnostics
import Glibc
import Streams
import TestSupport
import Testing

/// A pipe; closes what is still open at the end.
private final class Pipe {
    private(set) var reading: Int32 = -1
    private(set) var writing: Int32 = -1

    init() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        (reading, writing) = (ends[0], ends[1])
    }

    func closeReading() {
        close(reading)
        reading = -1
    }

    func closeWriting() {
        close(writing)
        writing = -1
    }

    deinit {
        if reading >= 0 { close(reading) }
        if writing >= 0 { close(writing) }
    }
}

private func read(_ source: DescriptorSource, _ room: Int = 100) throws -> (ReadOutcome, [UInt8]) {
    var bytes = [UInt8](repeating: 0, count: room)
    let outcome = try bytes.withUnsafeMutableBytes { try source.read(into: $0) }
    if case .bytes(let count) = outcome { return (outcome, Array(bytes[..<count])) }
    return (outcome, [])
}

private func write(_ sink: DescriptorSink, _ bytes: [UInt8]) throws -> SinkOutcome {
    try bytes.withUnsafeBufferPointer { try sink.write($0) }
}

@Suite(.offPool) struct DescriptorTests {
    init() { signal(SIGPIPE, SIG_IGN) }

    @Test func readsToTheEnd() throws {
        let pipe = try Pipe()
        let source = try DescriptorSource(descriptor: pipe.reading, name: "a pipe")
        _ = try write(DescriptorSink(descriptor: pipe.writing, name: "a pipe"), Array("abc".utf8))
        #expect(try read(source).1 == Array("abc".utf8))
        pipe.closeWriting()
        #expect(try read(source).0 == .end)
    }

    @Test func aWaitingReadCanBeInterrupted() throws {
        let pipe = try Pipe()
        let source = try DescriptorSource(descriptor: pipe.reading, name: "a pipe")
        let thread = try WorkerThread(name: "interrupts") { source.interrupt() }
        #expect(try read(source).0 == .stopped)
        thread.join()
        _ = try write(DescriptorSink(descriptor: pipe.writing, name: "a pipe"), [1])
        #expect(try read(source).0 == .stopped)
    }

    @Test func aSilentInputEndsWhenNobodyTakesTheOutput() throws {
        let input = try Pipe()
        let output = try Pipe()
        let source = try DescriptorSource(descriptor: input.reading, name: "a pipe", output: output.writing)
        output.closeReading()
        #expect(try read(source).0 == .outputClosed)
    }

    @Test func aNonBlockingPipeIsWaitedFor() throws {
        let pipe = try Pipe()
        _ = fcntl(pipe.reading, F_SETFL, O_NONBLOCK)
        _ = fcntl(pipe.writing, F_SETFL, O_NONBLOCK)
        let source = try DescriptorSource(descriptor: pipe.reading, name: "a pipe")
        let sink = DescriptorSink(descriptor: pipe.writing, name: "a pipe")
        // Far more than a pipe holds, so that both sides have to wait for each other.
        let sent = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let thread = try WorkerThread(name: "writes") { _ = try? write(sink, sent) }
        var received: [UInt8] = []
        while received.count < sent.count { received += try read(source, 50_000).1 }
        thread.join()
        #expect(received == sent)
    }

    @Test func aClosedReaderIsNoError() throws {
        let pipe = try Pipe()
        pipe.closeReading()
        #expect(try write(DescriptorSink(descriptor: pipe.writing, name: "a pipe"), [1]) == .closed)
    }

    @Test func aFullDeviceIsAnError() throws {
        let full = open("/dev/full", O_WRONLY)
        try #require(full >= 0)
        defer { close(full) }
        let error = #expect(throws: UnderstudyError.self) {
            try write(DescriptorSink(descriptor: full, name: "the output"), [1])
        }
        #expect(error?.code == .noSpace)
        #expect(error?.message == "can't write to the output: No space left on device")
    }

    @Test func aDirectoryIsNoInput() throws {
        let directory = open("/tmp", O_RDONLY)
        try #require(directory >= 0)
        defer { close(directory) }
        let error = #expect(throws: UnderstudyError.self) {
            try read(DescriptorSource(descriptor: directory, name: "the input"))
        }
        #expect(error?.code == .missingInput)
    }
}
