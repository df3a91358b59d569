import Cascade
import Diagnostics
import Glibc
import Models
import Service
import Store
import Streams
import TestSupport
import Testing

/// What is on the disk when a commit is made: a length that is committed before its bytes are forced to the disk would
/// name bytes that a power cut can take.
@Suite(.offPool) struct CommitOrderTests {
    @Test func everyCommittedLengthHasBeenForcedToTheDisk() throws {
        let forced = Monitor([UInt64: UInt64]())
        let early = Monitor([String]())
        let checked = Monitor(0)
        var calls = SinkCalls()
        let synchronise = calls.synchronise
        calls.synchronise = { descriptor in
            // The size before the call: what is appended during it need not be on the disk after it.
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { return errno }
            let outcome = synchronise(descriptor)
            if outcome == 0 {
                let inode = UInt64(status.st_ino)
                forced.withLock { $0[inode] = max($0[inode] ?? 0, UInt64(max(0, status.st_size))) }
            }
            return outcome
        }
        let store = ScriptedStore(seen: { all in
            for sink in all.sinks where sink.length > 0 {
                checked.withLock { $0 += 1 }
                let durable = forced.withLock { $0[sink.inode] ?? 0 }
                if durable < sink.length {
                    early.withLock { $0.append("\(sink.path): \(sink.length) bytes committed, \(durable) forced") }
                }
            }
        })
        let stage = try Stage(
            """
                  - {name: all, kind: file, path: FOLDER/all.tsv, format: tsv}
                  - {name: split, kind: file, path: "FOLDER/{label}.txt", format: tsv}
            """,
            models: CascadeModels(student: HashClassifier(), decider: LineDecider(.fixed(.never))), store: store,
            calls: calls)
        let lines = (0..<400).map { Array("第\($0)条：列车提速".utf8) }
        try stage.open(FileLane("s", [FileLane.File(inode: 1, lines: lines)], seed: 5))
        stage.finish()
        #expect(early.withLock { $0 }.isEmpty, "\(early.withLock { $0 }.prefix(3))")
        #expect(checked.withLock { $0 } >= 4)
        #expect(stage.texts("all.tsv").count == lines.count)
    }
}
