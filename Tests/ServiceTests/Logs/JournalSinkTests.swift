import Glibc
import Service
import Streams
import TestSupport
import Testing

/// What a journal was sent, and what it answers.
private final class Journal: Sendable {
    private struct State: Sendable {
        var entries: [[String]] = []
        var failures: [Int32] = []
    }

    private let state: Monitor<State>

    /// The first sends fail with these error numbers.
    init(failures: [Int32] = []) {
        state = Monitor(State(failures: failures))
    }

    var entries: [[String]] { state.withLock { $0.entries } }

    @Sendable func send(_ fields: UnsafePointer<iovec>, _ count: Int32) -> Int32 {
        let texts = (0..<Int(count)).map { index in
            let field = UnsafeRawBufferPointer(start: fields[index].iov_base, count: fields[index].iov_len)
            return String(decoding: field, as: UTF8.self)
        }
        let status = state.withLock { state -> Int32 in
            if !state.failures.isEmpty { return -state.failures.removeFirst() }
            state.entries.append(texts)
            return 0
        }
        return status
    }

}

private func deliver(_ sink: JournalSink, _ records: [[String]]) -> FlowOutcome {
    let bytes = Array(records.map { fields in fields.map { $0 + "\0" }.joined() + "\0" }.joined().utf8)
    return bytes.withUnsafeBufferPointer { sink.deliver($0, records: records.count) }
}

@Suite(.offPool) struct JournalSinkTests {
    @Test func eachRecordIsAnEntryWithItsFields() throws {
        let socket = try DatagramSocket()
        let journal = Journal()
        let sink = try JournalSink(name: "j", whenFull: .block, socketPath: socket.path, send: journal.send)
        let records = [["MESSAGE=球队赢了", "PRIORITY=6"], ["MESSAGE="], (0..<100).map { "F\($0)=x" }]
        #expect(deliver(sink, records) == .delivered)
        #expect(journal.entries == records)
        #expect(deliver(sink, []) == .delivered)
        #expect(journal.entries == records)
        #expect(socket.next() == nil)
    }

    @Test func anUnfinishedRecordIsNotSent() throws {
        let socket = try DatagramSocket()
        let journal = Journal()
        let sink = try JournalSink(name: "j", whenFull: .block, socketPath: socket.path, send: journal.send)
        for text in ["A=1\0\0B=2\0", "A=1\0\0B=2", "A=1\0\0"] {
            let outcome = Array(text.utf8).withUnsafeBufferPointer { sink.deliver($0, records: 1) }
            #expect(outcome == .delivered)
        }
        #expect(journal.entries == [["A=1"], ["A=1"], ["A=1"]])
    }

    @Test func aDroppingSinkDoesNotWait() throws {
        let socket = try DatagramSocket(isListening: false)
        let journal = Journal()
        let sink = try JournalSink(name: "j", whenFull: .drop, socketPath: socket.path, send: journal.send)
        #expect(deliver(sink, [["A=1"]]) == .dropped)
        try socket.listen()
        #expect(deliver(sink, [["A=2"]]) == .delivered)
        try socket.fill()
        #expect(deliver(sink, [["A=3"]]) == .dropped)
        while socket.next() != nil {}
        #expect(deliver(sink, [["A=4"]]) == .delivered)
        #expect(journal.entries == [["A=2"], ["A=4"]])
    }

    @Test func aBlockingSinkWaitsForTheJournalToCome() throws {
        let socket = try DatagramSocket(isListening: false)
        let journal = Journal(failures: [ECONNREFUSED, EAGAIN])
        let sink = try JournalSink(name: "j", whenFull: .block, socketPath: socket.path, send: journal.send)
        let outcome = Monitor([FlowOutcome]())
        let thread = try WorkerThread(name: "delivers") {
            let result = deliver(sink, [["A=1"], ["A=2"]])
            outcome.withLock { $0.append(result) }
        }
        try socket.listen()
        thread.join()
        #expect(outcome.withLock { $0 } == [.delivered])
        #expect(journal.entries == [["A=1"], ["A=2"]])
    }

    @Test(arguments: [true, false])
    func waitsAreInterrupted(isFull: Bool) throws {
        let socket = try DatagramSocket(isListening: isFull)
        if isFull { try socket.fill() }
        let journal = Journal()
        let sink = try JournalSink(name: "j", whenFull: .block, socketPath: socket.path, send: journal.send)
        let outcomes = Monitor([FlowOutcome]())
        let threads = try (0..<3).map { index in
            try WorkerThread(name: "delivers") {
                let result = deliver(sink, [["A=\(index)"]])
                outcomes.withLock { $0.append(result) }
            }
        }
        sink.interrupt()
        for thread in threads { thread.join() }
        #expect(outcomes.withLock { $0 } == [.interrupted, .interrupted, .interrupted])
        #expect(deliver(sink, [["A=9"]]) == .interrupted)
        #expect(journal.entries.isEmpty)
    }

    @Test func severalLanesAreServedOneAtATime() throws {
        let socket = try DatagramSocket()
        let journal = Journal()
        let sink = try JournalSink(name: "j", whenFull: .block, socketPath: socket.path, send: journal.send)
        let threads = try (0..<4).map { lane in
            try WorkerThread(name: "lane") {
                for batch in 0..<50 { _ = deliver(sink, (0..<3).map { ["L=\(lane)", "B=\(batch)", "R=\($0)"] }) }
            }
        }
        for thread in threads { thread.join() }
        let entries = journal.entries
        #expect(entries.count == 600)
        // A delivery's records stay together.
        for start in stride(from: 0, to: 600, by: 3) {
            #expect(Set(entries[start..<start + 3].map { $0[0] + $0[1] }).count == 1)
            #expect(entries[start..<start + 3].map { $0[2] } == ["R=0", "R=1", "R=2"])
        }
    }
}
