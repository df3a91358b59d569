import Diagnostics
import Glibc
import Streams
import Testing

/// Does with a directory source what a daemon does: takes lines, answers them, keeps checkpoints, and starts again.
final class DirectoryLane {
    struct Line: Equatable {
        var file: FileIdentity
        var offset: UInt64
        var number: UInt64
        var text: String
    }

    let settings: DirectorySource.Settings
    let limits: DirectoryLimits
    let calls: DirectoryCalls
    private var running: DirectorySource?
    let errors = Monitor<[UnderstudyError]>([])
    /// What is durable.
    private(set) var kept: [FileIdentity: FileCheckpoint] = [:]
    /// Every line taken since the last restart.
    private(set) var lines: [Line] = []
    private(set) var opened: [SourceOrigin] = []
    /// Those that had only a beginning, at the end of a damaged archive.
    private(set) var torn: [Line] = []
    /// How far each origin has been taken, in the order in which they were opened.
    private(set) var positions: [SourcePosition] = []
    /// The lines whose answers are durable, of all runs.
    private(set) var durable: [Line] = []
    /// What was taken since the last commit, step by step.
    private(set) var trail: [(position: SourcePosition, line: Line?)] = []
    private var unanswered: [FileIdentity: [UInt64]] = [:]
    private var answered: [FileIdentity: Set<UInt64>] = [:]

    private var origin: SourceOrigin?
    private var unfinished: [UInt8] = []
    private let roomBytes: Int

    /// Files settle at once unless said otherwise, so that nothing has to be waited for.
    init(
        _ settings: DirectorySource.Settings, roomBytes: Int = 4096,
        limits: DirectoryLimits = DirectoryLimits(settleNanoseconds: 0, retryNanoseconds: 0),
        calls: DirectoryCalls = DirectoryCalls(),
        kept: [FileIdentity: FileCheckpoint] = [:]
    ) throws {
        self.settings = settings
        self.limits = limits
        self.calls = calls
        self.roomBytes = roomBytes
        self.kept = kept
        running = try Self.start(settings, kept, limits, calls, errors)
    }

    private static func start(
        _ settings: DirectorySource.Settings, _ kept: [FileIdentity: FileCheckpoint], _ limits: DirectoryLimits,
        _ calls: DirectoryCalls, _ errors: Monitor<[UnderstudyError]>
    ) throws -> DirectorySource {
        try DirectorySource(settings, checkpoints: Array(kept.values), limits: limits, calls: calls) { error in
            errors.withLock { $0.append(error) }
        }
    }

    var source: DirectorySource? { running }
    var reported: [UnderstudyError] { errors.withLock { $0 } }
    var texts: [String] { lines.map(\.text) }

    /// Takes everything that is there now.
    @discardableResult func drain() throws -> DirectoryLane {
        repeat { while try step() {} } while running?.isRetrying == true
        return self
    }

    /// Takes the next event; false if there is none now.
    func step() throws -> Bool {
        let source = try #require(running)
        var room = [UInt8](repeating: 0, count: roomBytes)
        guard let event = room.withUnsafeMutableBytes({ source.probe(into: $0) }) else { return false }
        switch event {
        case .opened(let next):
            origin = next
            opened.append(next)
            unfinished = []
            positions.append(SourcePosition(origin: next, offset: next.start, line: next.firstLine))
            trail.append((positions[positions.count - 1], nil))
        case .bytes(let count):
            try #require(origin != nil && count > 0 && count <= roomBytes)
            unfinished += room[..<count]
            while let end = lineFeed() {
                let width = end + (origin?.unit ?? .byte).width
                try take(unfinished[..<end], width: width)
                unfinished.removeSubrange(..<width)
            }
        case .finished:
            try #require(origin != nil)
            if !unfinished.isEmpty { try take(unfinished[...], width: unfinished.count) }
            unfinished = []
            positions[positions.count - 1].isFinished = true
            trail.append((positions[positions.count - 1], nil))
            origin = nil
        case .torn:
            try #require(origin != nil && !unfinished.isEmpty)
            let position = positions[positions.count - 1]
            torn.append(
                Line(
                    file: try #require(position.origin.file), offset: position.offset, number: position.line,
                    text: Self.text(unfinished[...], position.origin.unit)))
            unfinished = []
            positions[positions.count - 1].isFinished = true
            trail.append((positions[positions.count - 1], nil))
            origin = nil
        case .end, .stopped:
            Issue.record("a directory doesn't end")
            return false
        }
        return true
    }

    /// Where the first LF begins.
    private func lineFeed() -> Int? {
        guard let unit = origin?.unit, unit != .byte else { return unfinished.firstIndex(of: 0x0A) }
        let first = Int(positions[positions.count - 1].offset % 2)
        let pair: [UInt8] = unit == .littleEndian ? [0x0A, 0] : [0, 0x0A]
        return stride(from: first, to: unfinished.count - 1, by: 2).first { unfinished[$0...].starts(with: pair) }
    }

    private static func text(_ bytes: ArraySlice<UInt8>, _ unit: CodeUnit) -> String {
        if unit == .byte { return String(decoding: bytes, as: UTF8.self) }
        let bytes = Array(bytes)
        let units = stride(from: 0, to: bytes.count - 1, by: 2).map { place in
            let (low, high) = unit == .littleEndian ? (place, place + 1) : (place + 1, place)
            return UInt16(bytes[high]) << 8 | UInt16(bytes[low])
        }
        return String(decoding: units, as: UTF16.self) + (bytes.count % 2 == 0 ? "" : "½")
    }

    private func take(_ bytes: ArraySlice<UInt8>, width: Int) throws {
        let last = positions.count - 1
        let position = positions[last]
        let file = try #require(position.origin.file)
        let isAnswered =
            position.offset < position.origin.resumed && !position.origin.unanswered.contains(position.offset)
        let line = Line(
            file: file, offset: position.offset, number: position.line,
            text: Self.text(bytes, position.origin.unit))
        positions[last].offset += UInt64(width)
        positions[last].line += 1
        if !isAnswered { lines.append(line) }
        trail.append((positions[last], isAnswered ? nil : line))
    }

    /// Makes everything that was taken durable.
    func commit() { commit(upTo: trail.count) }

    /// Makes the first `count` steps durable. With `passingOver`, some lines of them are left without an answer.
    func commit(upTo count: Int, passingOver: (Line) -> Bool = { _ in false }) {
        var positions: [SourcePosition] = []
        for step in trail[..<count] {
            if let line = step.line {
                if passingOver(line) {
                    unanswered[line.file, default: []].append(line.offset)
                } else {
                    durable.append(line)
                    answered[line.file, default: []].insert(line.offset)
                }
            }
            if let last = positions.indices.last, positions[last].origin === step.position.origin {
                positions[last] = step.position
            } else {
                positions.append(step.position)
            }
        }
        trail.removeFirst(count)
        for index in positions.indices {
            guard let file = positions[index].origin.file else { continue }
            let open = Set(positions[index].origin.unanswered + (unanswered[file] ?? []))
            positions[index].unanswered = open.filter { offset in
                offset < positions[index].offset && !(answered[file]?.contains(offset) ?? false)
            }.sorted()
        }
        var latest: [FileIdentity: FileCheckpoint] = [:]
        for position in positions {
            if let checkpoint = checkpoint(position) { latest[checkpoint.file] = checkpoint }
        }
        kept.merge(latest) { $1 }
        for position in positions { source?.committed(position) }
        for file in source?.takeForgotten() ?? [] { kept[file] = nil }
    }

    /// As a committer, which asks again where that can't be told now.
    private func checkpoint(_ position: SourcePosition) -> FileCheckpoint? {
        while true {
            do { return try source?.checkpoint(position) } catch { continue }
        }
    }

    /// Keeps a position of the test's own making.
    func keep(_ position: SourcePosition) throws {
        try keepOnly(position)
        source?.committed(position)
    }

    /// As far as to the moment when the position is durable.
    func keepOnly(_ position: SourcePosition) throws {
        let checkpoint = try #require(try source?.checkpoint(position))
        kept[checkpoint.file] = checkpoint
    }

    /// As if the file systems had been mounted in another order.
    func renumberDevices(by offset: UInt64) {
        kept = Dictionary(
            uniqueKeysWithValues: kept.values.map { checkpoint in
                var other = checkpoint
                other.file.device += offset
                return (other.file, other)
            })
    }

    /// Starts again from what is durable, as after a kill; `meanwhile` happens while nobody runs.
    func restart(_ meanwhile: () throws -> Void = {}) throws {
        // The old source is gone before its successor starts, as processes are.
        running = nil
        lines = []
        torn = []
        opened = []
        positions = []
        trail = []
        unanswered = [:]
        answered = [:]
        origin = nil
        unfinished = []
        try meanwhile()
        running = try Self.start(settings, kept, limits, calls, errors)
        for file in source?.takeForgotten() ?? [] { kept[file] = nil }
    }
}
