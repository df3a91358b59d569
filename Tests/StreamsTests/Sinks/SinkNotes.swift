import Diagnostics
import Streams
import TestSupport
import Testing

/// What sinks report and register, for tests to look at.
final class SinkNotes: Sendable {
    private let reports = Monitor([UnderstudyError]())
    private let rows = Monitor([SinkLength]())

    var reported: [UnderstudyError] { reports.withLock { $0 } }
    var registered: [SinkLength] { rows.withLock { $0 } }

    var report: @Sendable (UnderstudyError) -> Void {
        { error in self.reports.withLock { $0.append(error) } }
    }

    var register: @Sendable (SinkLength) throws(UnderstudyError) -> Void {
        { row in self.rows.withLock { $0.append(row) } }
    }

    /// How many reports say `text`.
    func count(_ text: String) -> Int { reported.filter { $0.description.contains(text) }.count }

    /// Waits until more than `count` reports say `text`.
    func waitForReport(_ text: String, after count: Int = 0) throws {
        try waitUntil { self.count(text) > count }
    }
}

/// Waits for `condition`; it not coming about is a failure.
func waitUntil(_ condition: () throws -> Bool, _ place: SourceLocation = #_sourceLocation) throws {
    try #require(try eventually(condition), "waited in vain", sourceLocation: place)
}

extension SinkFile {
    func append(_ text: String) throws { try append(Array(text.utf8)) }

    func append(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBufferPointer { bytes throws(UnderstudyError) in try append(bytes) }
    }
}

extension FlowSink {
    func deliver(_ text: String) -> FlowOutcome {
        Array(text.utf8).withUnsafeBufferPointer { deliver($0, records: 1) }
    }

    /// Expects of a sink that drops that it finishes what it has begun, `large`, before it takes anything else.
    func expectToFinish(_ large: String, _ reader: FlowReader, _ place: SourceLocation = #_sourceLocation) {
        #expect(deliver(large) == .delivered, sourceLocation: place)
        #expect(deliver("第二条\n") == .dropped, sourceLocation: place)
        var tries = 0
        // The rest goes first, as far as there is room.
        while deliver("第三条\n") == .dropped, tries < 100 {
            reader.readAll()
            tries += 1
        }
        reader.readAll()
        #expect(reader.text == large + "第三条\n", sourceLocation: place)
    }
}
