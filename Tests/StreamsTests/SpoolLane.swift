import Diagnostics
import Streams
import Testing

/// What a daemon keeps between its runs: answers and checkpoints, which change together.
struct SpoolStore {
    var answers: [String] = []
    var checkpoints: [FileIdentity: FileCheckpoint] = [:]
    /// Id and number of every line that was read, to see that a line read again has the same.
    var lines: [String: (id: UInt64, number: UInt64)] = [:]
}

/// A lane as far as a spooled source can tell: frames lines, answers some of them at each commit, keeps positions.
final class SpoolLane {
    private final class Progress {
        let origin: SourceOrigin
        var offset: UInt64
        var line: UInt64
        var isFinished = false
        var open: [(offset: UInt64, text: String)] = []

        init(_ origin: SourceOrigin) {
            self.origin = origin
            offset = origin.start
            line = origin.firstLine
        }
    }

    private let source: SpooledSource
    private var progress: [Progress] = []
    private var partial: [UInt8] = []
    private var room: [UInt8]

    init(_ source: SpooledSource, room: Int = 40) {
        self.source = source
        self.room = [UInt8](repeating: 0, count: room)
    }

    /// Reads to the source's end and answers all of it.
    static func drain(_ source: SpooledSource, _ store: inout SpoolStore, room: Int = 40) throws {
        let lane = SpoolLane(source, room: room)
        while try lane.step(&store) {}
        lane.commit(&store)
    }

    /// Takes one event; false at the source's end.
    func step(_ store: inout SpoolStore) throws -> Bool {
        switch try room.withUnsafeMutableBytes({ buffer throws in try source.read(into: buffer) }) {
        case .opened(let origin):
            progress.append(Progress(origin))
            partial = []
        case .bytes(let count):
            for byte in room[..<count] {
                partial.append(byte)
                if byte == 0x0A { endLine(&store) }
            }
        case .finished, .torn:
            if !partial.isEmpty { endLine(&store) }
            progress.last?.isFinished = true
        case .end:
            if !partial.isEmpty { endLine(&store) }
            progress.last?.isFinished = true
            return false
        case .stopped: return false
        }
        return true
    }

    private func endLine(_ store: inout SpoolStore) {
        guard let now = progress.last else { return }
        defer {
            now.offset += UInt64(partial.count)
            now.line += 1
            partial = []
        }
        let bytes = partial.last == 0x0A ? Array(partial.dropLast()) : partial
        let text = String(decoding: bytes, as: UTF8.self)
        let id = bytes.withUnsafeBufferPointer { now.origin.identity.id(offset: now.offset, line: $0) }
        if let seen = store.lines[text] { #expect(seen.id == id && seen.number == now.line, "\(text)") }
        store.lines[text] = (id, now.line)
        if now.offset < now.origin.resumed, !now.origin.unanswered.contains(now.offset) { return }
        now.open.append((now.offset, text))
    }

    /// Answers each line that waits if `chosen` says so, and keeps how far that is.
    func commit(_ store: inout SpoolStore, chosen: () -> Bool = { true }) {
        // Where an earlier run had got further, this one has nothing to say yet.
        let positions = progress.filter { $0.offset >= $0.origin.resumed }.map { now in
            let passed = now.open.filter { _ in !chosen() }
            store.answers += now.open.filter { line in !passed.contains { $0.offset == line.offset } }.map(\.text)
            now.open = passed
            return SourcePosition(
                origin: now.origin, offset: now.offset, line: now.line, isFinished: now.isFinished,
                unanswered: passed.map(\.offset))
        }
        for position in positions {
            guard let file = position.origin.file, let checkpoint = try? source.checkpoint(position) else {
                Issue.record("no checkpoint")
                continue
            }
            store.checkpoints[file] = checkpoint
        }
        for position in positions { source.committed(position) }
        progress.removeAll { $0.isFinished && $0.open.isEmpty }
        for file in source.takeForgotten() { store.checkpoints[file] = nil }
    }
}
