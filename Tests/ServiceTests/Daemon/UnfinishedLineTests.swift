import Diagnostics
import Glibc
import Service
import Streams
import TestSupport
import Testing

/// A stream that gives one piece and then waits to be interrupted.
private final class Pipe: StreamSource {
    let name: String
    private let pieces: Monitor<[SourceEvent]>

    init(_ name: String, _ text: String) {
        self.name = name
        let origin = SourceOrigin(source: name, path: name, file: nil)
        pieces = Monitor([.opened(origin)] + (text.isEmpty ? [] : [.bytes(text.utf8.count)]))
        self.text = Array(text.utf8)
    }

    private let text: [UInt8]

    func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> SourceEvent {
        let event = pieces.withLock { $0.isEmpty ? .stopped : $0.removeFirst() }
        if case .bytes = event { room.copyBytes(from: text) }
        return event
    }

    func interrupt() { pieces.withLock { $0 = [] } }
}

/// All bytes that a source gives into rooms of `size`.
private func bytes(of source: any StreamSource, room size: Int = 1000) throws -> [UInt8] {
    var all: [UInt8] = []
    var room = [UInt8](repeating: 0, count: size)
    while true {
        switch try room.withUnsafeMutableBytes({ try source.read(into: $0) }) {
        case .bytes(let count): all += room[..<count]
        case .opened: #expect(all.isEmpty)
        case .finished, .torn, .end, .stopped: return all
        }
    }
}

/// Pitfall 1: a partial line at shutdown isn't lost.
@Suite struct UnfinishedLineTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func resumed(_ name: String, _ text: String) -> any StreamSource {
        UnfinishedLine.resume(Pipe(name, text), in: folder.path) { Issue.record("\($0)") }
    }

    @Test(arguments: [3, 7, 1000]) func theBeginningComesBeforeTheRest(room: Int) throws {
        try UnfinishedLine.keep(Array("一条新".utf8), of: "in", in: folder.path)
        let all = try bytes(of: resumed("in", room > 10 ? "闻\n第二条\n" : ""), room: room)
        #expect(String(decoding: all, as: UTF8.self) == (room > 10 ? "一条新闻\n第二条\n" : "一条新"))
        // Once read, it doesn't come again.
        #expect(try bytes(of: resumed("in", "")).isEmpty)
    }

    @Test func itIsKeptUntilItHasBeenRead() throws {
        try UnfinishedLine.keep(Array("半".utf8), of: "in", in: folder.path)
        _ = resumed("in", "")
        let interrupted = resumed("in", "")
        interrupted.interrupt()
        #expect(try bytes(of: interrupted).isEmpty)
        #expect(try bytes(of: resumed("in", "")) == Array("半".utf8))
    }

    @Test func sourcesHaveTheirOwnWhateverTheirNames() throws {
        let names = ["in", "../in", "a/b", "源", "."]
        for name in names { try UnfinishedLine.keep(Array("of \(name)".utf8), of: name, in: folder.path) }
        for name in names { #expect(try bytes(of: resumed(name, "")) == Array("of \(name)".utf8)) }
        #expect(folder.names == ["unfinished"])
    }

    @Test func theNewestIsKeptAndNoneChangesNothing() throws {
        #expect(try bytes(of: resumed("in", "x\n")) == Array("x\n".utf8))
        try UnfinishedLine.keep(Array("long ago".utf8), of: "in", in: folder.path)
        try UnfinishedLine.keep(Array("now".utf8), of: "in", in: folder.path)
        #expect(try bytes(of: resumed("in", "")) == Array("now".utf8))
    }

    @Test func aStateThatCannotBeWrittenToIsSaid() {
        let error = #expect(throws: UnderstudyError.self) {
            try UnfinishedLine.keep([1], of: "in", in: folder.path + "/missing/deeper")
        }
        #expect(error?.code == .inputOutput)
    }
}
