import Diagnostics
import Foundation
import Streams
import TestSupport
import Testing

@Suite(.offPool) struct FIFOSinkTests {
    let folder: TemporaryFolder
    let notes = SinkNotes()
    let path: String

    init() throws {
        signal(SIGPIPE, SIG_IGN)
        folder = try TemporaryFolder()
        path = folder.file("answers")
    }

    private func sink(_ whenFull: WhenFull = .block) throws -> FIFOSink {
        try FIFOSink(name: "pipe", path: path, whenFull: whenFull, report: notes.report)
    }

    private static func record(_ number: Int, bytes: Int) -> String {
        let start = "第\(number)条"
        return start + String(repeating: "x", count: max(0, bytes - start.utf8.count - 1)) + "\n"
    }

    @Test func theFIFOIsMadeWithItsPermissions() throws {
        _ = try FIFOSink(name: "pipe", path: path, permissions: 0o666, report: notes.report)
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode == S_IFIFO | 0o666)
        _ = try FIFOSink(name: "pipe", path: path, permissions: 0o600, report: notes.report)
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode == S_IFIFO | 0o666)
    }

    @Test func somethingElseIsRefused() throws {
        try folder.write("一\n", to: "answers")
        var error = #expect(throws: UnderstudyError.self) { try sink() }
        #expect(error?.code == .cannotCreate && error?.place == path)
        error = #expect(throws: UnderstudyError.self) {
            try FIFOSink(name: "pipe", path: folder.file("missing/fifo"), report: notes.report)
        }
        #expect(error?.code == .cannotCreate)
        #expect(folder.bytes(of: "answers") == Array("一\n".utf8))
    }

    @Test func aReaderThatComesLaterIsWaitedFor() throws {
        let sink = try sink()
        let delivery = try Delivery(sink, "股市上涨\n")
        try notes.waitForReport("has no reader")
        #expect(!delivery.isFinished)
        // Opened as `cat` does it: that waits for a writer.
        let reader = try FlowReader(descriptor: open(path, O_RDONLY))
        #expect(try delivery.wait() == .delivered)
        #expect(sink.deliver("球队夺冠\n") == .delivered)
        reader.readAll()
        #expect(reader.text == "股市上涨\n球队夺冠\n")
        // Once for each change, not for each try.
        #expect(notes.reported.count == 2)
        #expect(notes.reported.last?.message.contains("recovered") == true)
    }

    @Test func theNextReaderGetsTheInterruptedRecordFromItsStart() throws {
        let sink = try sink()
        let long = Self.record(1, bytes: 300_000)
        let first = try FlowReader(fifo: path)
        let delivery = try Delivery(sink, long + "第二条\n")
        try first.read(until: 100_000)
        first.leave()
        try notes.waitForReport("has no reader")
        let second = try FlowReader(fifo: path)
        try second.read(until: long.utf8.count + 10)
        #expect(try delivery.wait() == .delivered)
        #expect(second.text == long + "第二条\n")
    }

    @Test func whatAReaderLeftIsNotForTheNext() throws {
        let sink = try sink()
        let first = try FlowReader(fifo: path)
        #expect(sink.deliver("第一条\n第二条\n") == .delivered)
        try first.read(until: 5)
        first.leave()
        // Nothing is being delivered, and still the rest must go before somebody comes.
        try waitUntil { try openDescriptors() == 0 }
        let second = try FlowReader(fifo: path)
        #expect(sink.deliver("第三条\n") == .delivered)
        second.readAll()
        #expect(second.text == "第三条\n")
    }

    @Test func nothingIsLeftOpen() throws {
        do {
            let sink = try sink()
            let reader = try FlowReader(fifo: path)
            #expect(sink.deliver("第一条\n") == .delivered)
            reader.readAll()
            #expect(try openDescriptors() > 0)
        }
        #expect(try openDescriptors() == 0)
    }

    /// How many descriptors this process has open on the FIFO.
    private func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == path
        }.count
    }

    @Test func noReaderOfManyGetsATornRecord() throws {
        let sink = try sink()
        var random = SplitMix(seed: 11)
        let records = (0..<600).map { Self.record($0, bytes: Int.random(in: 20...20_000, using: &random)) }
        let numbers = Dictionary(uniqueKeysWithValues: records.enumerated().map { (Array($1.utf8.dropLast()), $0) })
        let thread = try WorkerThread(name: "delivers") { [records] in
            for start in stride(from: 0, to: records.count, by: 8) {
                if sink.deliver(records[start..<start + 8].joined()) != .delivered { return }
            }
        }
        var next = 0
        for _ in 0..<20 {
            let reader = try FlowReader(fifo: path)
            try reader.read(until: Int.random(in: 1...100_000, using: &random))
            let lines = reader.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            // The last one is torn, or empty: that reader leaves.
            let seen = lines.dropLast().map { numbers[Array($0)] ?? -1 }
            let first = seen.first ?? next
            #expect(first >= next && seen == Array(first..<first + seen.count))
            next = first + seen.count
            let outages = notes.count("has no reader")
            reader.leave()
            try notes.waitForReport("has no reader", after: outages)
        }
        sink.interrupt()
        thread.join()
    }

    @Test func withoutAReaderASinkThatDropsDrops() throws {
        let sink = try sink(.drop)
        for _ in 0..<5 { #expect(sink.deliver("第一条\n") == .dropped) }
        #expect(notes.reported.count == 1)
        let reader = try FlowReader(fifo: path)
        #expect(sink.deliver("第二条\n") == .delivered)
        reader.readAll()
        #expect(reader.text == "第二条\n")
        #expect(notes.reported.count == 2)
    }

    @Test func aFullPipeDropsWholeRecords() throws {
        let sink = try sink(.drop)
        let reader = try FlowReader(fifo: path)
        var delivered = ""
        var dropped = 0
        for number in 0..<300 {
            let record = Self.record(number, bytes: 1000)
            switch sink.deliver(record) {
            case .delivered: delivered += record
            case .dropped: dropped += 1
            default: Issue.record("neither delivered nor dropped")
            }
        }
        #expect(dropped > 0 && !delivered.isEmpty)
        reader.readAll()
        #expect(reader.text == delivered)
        #expect(sink.deliver("又一条\n") == .delivered)
        reader.readAll()
        #expect(reader.text == delivered + "又一条\n")
    }

    @Test func whatASinkThatDropsHasBegunItFinishes() throws {
        let sink = try sink(.drop)
        let reader = try FlowReader(fifo: path)
        let large = (0..<100).map { Self.record($0, bytes: 5000) }.joined()
        sink.expectToFinish(large, reader)
    }

    @Test func aDeliveryThatWaitsForAReaderCanBeInterrupted() throws {
        let sink = try sink()
        let delivery = try Delivery(sink, "第一条\n")
        try notes.waitForReport("has no reader")
        sink.interrupt()
        #expect(try delivery.wait() == .interrupted)
        #expect(sink.deliver("第二条\n") == .interrupted)
    }

    @Test func aDeliveryThatWaitsForRoomCanBeInterrupted() throws {
        let sink = try sink()
        let reader = try FlowReader(fifo: path)
        let delivery = try Delivery(sink, Self.record(1, bytes: 1_000_000))
        try reader.read(until: 70_000)
        sink.interrupt()
        #expect(try delivery.wait() == .interrupted)
    }

    @Test func aFIFOThatWasRemovedIsMadeAgain() throws {
        let sink = try sink()
        #expect(unlink(path) == 0)
        let delivery = try Delivery(sink, "第一条\n")
        try notes.waitForReport("has no reader")
        let reader = try FlowReader(fifo: path)
        #expect(try delivery.wait() == .delivered)
        reader.readAll()
        #expect(reader.text == "第一条\n")
    }

    @Test func aFIFOThatWasReplacedIsNotWrittenTo() throws {
        let sink = try sink(.drop)
        #expect(unlink(path) == 0)
        try folder.write("一\n", to: "answers")
        #expect(sink.deliver("第一条\n") == .dropped)
        #expect(folder.bytes(of: "answers") == Array("一\n".utf8))
        #expect(notes.reported.first?.description.contains("replaced") == true)
    }

    @Test func severalLanesAreServedOneAtATime() throws {
        let sink = try sink()
        let reader = try FlowReader(fifo: path)
        let text = { (lane: Int) in (0..<50).map { Self.record(lane * 100 + $0, bytes: 6000) }.joined() }
        let deliveries = try (0..<3).map { try Delivery(sink, text($0)) }
        try reader.read(until: 3 * 50 * 6000)
        for delivery in deliveries { #expect(try delivery.wait() == .delivered) }
        let all = reader.text
        for lane in 0..<3 { #expect(all.contains(text(lane))) }
    }
}
