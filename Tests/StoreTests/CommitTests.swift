import Diagnostics
import Store
import Streams
import TestSupport
import Testing

@Suite(.offPool) struct CommitTests {
    private struct FileKey: Hashable {
        var source: String
        var inode: UInt64
    }

    @Test func anEmptyStoreIsEmpty() throws {
        let folder = try TemporaryFolder()
        let reports = Reports()
        let store = try Store.open(directory: folder.file("state"), report: reports.add)
        #expect(try store.checkpoints().isEmpty)
        #expect(try store.sinkLengths().isEmpty)
        #expect(reports.all.isEmpty)
    }

    /// Random commits against dictionaries, with a reopening now and then.
    @Test(arguments: [1, 2, 3]) func whatWasCommittedIsThere(seed: UInt64) throws {
        let folder = try TemporaryFolder()
        let reports = Reports()
        var random = SplitMix(seed: seed)
        var files: [FileKey: FileCheckpoint] = [:]
        var sinks: [UInt64: SinkLength] = [:]
        var store = try Store.open(directory: folder.path, report: reports.add)
        for _ in 0..<150 {
            var commit = Commit()
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                let checkpoint = Samples.checkpoint(
                    Bool.random(using: &random) ? "wire" : "投稿'\0;--", inode: .random(in: 1...12, using: &random),
                    generation: .random(in: 0...2, using: &random), offset: .random(in: 0 ... .max / 2, using: &random),
                    unanswered: (0..<Int.random(in: 0...3, using: &random)).map(UInt64.init))
                commit.checkpoints.append(checkpoint)
            }
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                commit.sinks.append(
                    Samples.sink(
                        inode: .random(in: 1...5, using: &random), length: .random(in: 0 ... .max, using: &random),
                        born: .random(in: 0...1, using: &random), mark: .random(in: 0 ... .max, using: &random),
                        isSettled: Bool.random(using: &random)))
            }
            if Bool.random(using: &random) {
                let file = FileIdentity(
                    device: 0xFFFF_FFFF_0000_0001, inode: .random(in: 1...12, using: &random),
                    generation: .random(in: 0...2, using: &random))
                commit.forgottenFiles = [ForgottenFile(source: "wire", file: file)]
                commit.forgottenSinks = [ForgottenSink(device: 7, inode: .random(in: 1...5, using: &random))]
            }
            try store.commit(commit)

            for gone in commit.forgottenFiles {
                let key = FileKey(source: gone.source, inode: gone.file.inode)
                if let known = files[key], known.file.generation <= gone.file.generation { files[key] = nil }
            }
            for gone in commit.forgottenSinks { sinks[gone.inode] = nil }
            for checkpoint in commit.checkpoints {
                let key = FileKey(source: checkpoint.source, inode: checkpoint.file.inode)
                if let known = files[key], known.file.generation > checkpoint.file.generation { continue }
                files[key] = checkpoint
            }
            for sink in commit.sinks { sinks[sink.inode] = sink }

            if Int.random(in: 0..<10, using: &random) == 0 {
                try store.close()
                store = try Store.open(directory: folder.path, report: reports.add)
            }
            let read = try store.checkpoints()
            #expect(read.count == files.count)
            for checkpoint in read {
                #expect(files[FileKey(source: checkpoint.source, inode: checkpoint.file.inode)] == checkpoint)
            }
            #expect(Set(try store.checkpoints(source: "wire").map(\.source)).isSubset(of: ["wire"]))
            let lengths = try store.sinkLengths()
            #expect(lengths.count == sinks.count)
            for sink in lengths { #expect(sinks[sink.inode] == sink) }
        }
        #expect(reports.all.isEmpty)
    }

    @Test func settledSinksAreKnownAsThat() throws {
        let folder = try TemporaryFolder()
        let store = try Store.open(directory: folder.path) { _ in }
        let sinks = [Samples.sink(inode: 1, length: 5, born: 3, mark: 9), Samples.sink(inode: 2, length: 0)]
        try store.commit(Commit(sinks: sinks))
        try store.settleSinks()
        try store.close()
        let settled = sinks.map { sink in
            var sink = sink
            sink.isSettled = true
            return sink
        }
        let reports = Reports()
        #expect(try Store.open(directory: folder.path, report: reports.add).sinkLengths() == settled)
        #expect(reports.all.isEmpty)
    }

    @Test func aRegisteredSinkIsKnownToTheNextRun() throws {
        let folder = try TemporaryFolder()
        let sink = Samples.sink(inode: 3, length: 0)
        let store = try Store.open(directory: folder.path) { _ in }
        try store.register(sink)
        try store.close()
        #expect(try Store.open(directory: folder.path, report: { _ in }).sinkLengths() == [sink])
    }
}
