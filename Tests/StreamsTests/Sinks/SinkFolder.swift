import Diagnostics
import Foundation
import Streams
import Testing

/// A fresh folder for output files that is removed with the value, in memory where there is such a place.
final class SinkFolder {
    let path: String

    init() throws {
        let memory = "/dev/shm"
        let parent = FileManager.default.isWritableFile(atPath: memory) ? memory + "/" : NSTemporaryDirectory()
        path = parent + "understudy-sinks-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    func contents(_ name: String) -> [UInt8]? {
        FileManager.default.contents(atPath: file(name)).map { Array($0) }
    }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
    }
}

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

/// Waits for `condition`; half a minute without it is a failure.
func waitUntil(_ condition: () throws -> Bool, _ place: SourceLocation = #_sourceLocation) throws {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(30)
    while try !condition() {
        try #require(clock.now < deadline, "waited in vain", sourceLocation: place)
        usleep(200)
    }
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
}
