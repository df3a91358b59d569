import Diagnostics
import Glibc
import Streams
import TestSupport
import Testing

/// The reader's and the committer's threads beside writers that never wait for them.
@Suite(.offPool) struct DirectoryThreadsTests {
    private struct State: Sendable {
        var positions: [SourcePosition] = []
        var kept: [FileIdentity: FileCheckpoint] = [:]
        var lines: [String: Int] = [:]
        var lineCount = 0
        var isDone = false
    }

    @Test(arguments: [DirectorySource.Settings.Mode.files, .tail])
    func linesArriveOnceWhileOthersCommit(_ mode: DirectorySource.Settings.Mode) throws {
        let directory = try TestDirectory()
        let settings = DirectorySource.Settings(
            name: "drops", path: directory.path, mode: mode, include: ["*.log*"], after: .delete)
        let source = try DirectorySource(
            settings, checkpoints: [], limits: DirectoryLimits(heldFiles: 4, settleNanoseconds: 50_000_000),
            calls: DirectoryCalls()
        ) { Issue.record($0) }
        let state = Monitor(State())
        let reader = try WorkerThread(name: "reads") { Self.read(source, state) }
        let committer = try WorkerThread(name: "commits") { Self.commit(source, state) }
        let count = 4000
        for line in 0..<count {
            let name = "\(line % 7).log"
            try directory.append(name, "第\(line)条\n")
            if mode == .tail, line % 100 == 99 { try directory.rename(name, "\(name).\(line)") }
        }
        // In files that are deleted once they are answered, a line appended meanwhile would go with them.
        state.wait(on: 0) { $0.lineCount >= (mode == .tail ? count : 1) ? () : nil }
        source.interrupt()
        reader.join()
        state.withLock { $0.isDone = true }
        committer.join()
        let end = state.withLock { $0 }
        #expect(end.lines.values.allSatisfy { $0 == 1 })
        #expect(mode == .files || end.lines.count == count)
    }

    private static func read(_ source: DirectorySource, _ state: Monitor<State>) {
        var room = [UInt8](repeating: 0, count: 512)
        var position: SourcePosition?
        var unfinished: [UInt8] = []
        while let event = try? room.withUnsafeMutableBytes({ try source.read(into: $0) }) {
            switch event {
            case .opened(let origin):
                position = SourcePosition(origin: origin, offset: origin.start, line: origin.firstLine)
                unfinished = []
            case .bytes(let count):
                unfinished += room[..<count]
            case .finished, .torn:
                position?.isFinished = true
            case .end, .stopped:
                return
            }
            var lines: [String] = []
            while let end = unfinished.firstIndex(of: 0x0A) {
                lines.append(String(decoding: unfinished[..<end], as: UTF8.self))
                unfinished.removeSubrange(...end)
                position?.offset += UInt64(end) + 1
                position?.line += 1
            }
            state.withLock { state in
                for line in lines { state.lines[line, default: 0] += 1 }
                state.lineCount += lines.count
                if let position { state.positions.append(position) }
            }
            state.signal(0)
        }
    }

    private static func commit(_ source: DirectorySource, _ state: Monitor<State>) {
        while true {
            let (positions, isDone) = state.withLock { state in
                defer { state.positions = [] }
                return (state.positions, state.isDone)
            }
            for position in positions {
                if let checkpoint = try? source.checkpoint(position) {
                    state.withLock { $0.kept[checkpoint.file] = checkpoint }
                }
            }
            for position in positions { source.committed(position) }
            for file in source.takeForgotten() { state.withLock { $0.kept[file] = nil } }
            if isDone { return }
        }
    }
}
