import Diagnostics
import Foundation
import Glibc
import Streams
import TestSupport
import Testing

/// Random appends, undoings, commits, rotations, reopenings and kills against a model: after each kill and recovery
/// every file holds exactly the bytes that were committed to it.
@Suite(.offPool) struct FileSinkModelTests {
    /// A file of the model: what was committed, what was appended since, and the file as long as it waits for a commit.
    private struct Model {
        var committed: [UInt8] = []
        var pending: [[UInt8]] = []
        var held: SinkFile?
    }

    private struct World {
        let folder: TemporaryFolder
        let rows = Monitor([UInt64: SinkLength]())
        let notes = SinkNotes()
        let state = try? TemporaryFolder()
        var sink: FileSink
        var models: [UInt64: Model] = [:]
        var rotations = 0
        var records = 0

        init() throws {
            folder = try TemporaryFolder()
            sink = try Self.sink(folder, rows, notes, Self.keeping(state))
        }

        static func keeping(_ state: TemporaryFolder?) throws -> SinkKeeping {
            let path = try #require(state).path
            return SinkKeeping(journal: try AppendJournal(directory: path), aside: SetAside(stateDirectory: path))
        }

        static func sink(
            _ folder: TemporaryFolder, _ rows: Monitor<[UInt64: SinkLength]>, _ notes: SinkNotes,
            _ keeping: SinkKeeping
        ) throws -> FileSink {
            FileSink(
                .init(name: "answers", path: try PathTemplate(folder.file("{label}.jsonl")), syncs: false),
                keeping: keeping, register: { row in rows.withLock { $0[row.inode] = row } }, report: notes.report)
        }

        mutating func append(_ random: inout SplitMix) throws {
            let file = try sink.file(label: "l\(Int.random(in: 0..<4, using: &random))", source: "", time: 0)
            var model = models[file.inode] ?? Model()
            let known = model.committed.count + model.pending.reduce(0) { $0 + $1.count }
            #expect(file.length == known)
            // Registered lengths never cover bytes that aren't committed.
            #expect(rows.withLock { $0[file.inode]?.length } == UInt64(model.committed.count))
            records += 1
            let text = String(repeating: "闻", count: Int.random(in: 0...40, using: &random))
            let record = Array("第\(records)条\(text)\n".utf8)
            try file.append(record)
            if Int.random(in: 0..<5, using: &random) == 0 {
                try file.cut(to: UInt64(known))
            } else {
                model.pending.append(record)
            }
            model.held = file
            models[file.inode] = model
        }

        mutating func commit() throws {
            for (inode, model) in models {
                guard let file = model.held else { continue }
                try file.synchronise()
                let position = file.position
                let row = SinkLength(
                    sink: file.sink, path: file.path, device: file.device, inode: inode, length: position.length,
                    born: file.born, mark: position.mark)
                file.committed(position.length)
                rows.withLock { $0[inode] = row }
                models[inode] = Model(committed: model.committed + model.pending.joined())
            }
        }

        mutating func rotate(_ random: inout SplitMix) {
            let path = folder.file("l\(Int.random(in: 0..<4, using: &random))")
            rotations += 1
            rename(path + ".jsonl", path + ".jsonl.\(rotations)")
        }

        mutating func kill(_ random: inout SplitMix) throws {
            for inode in models.keys {
                models[inode]?.pending = []
                models[inode]?.held = nil
            }
            if Bool.random(using: &random) { rotate(&random) }
            let keeping = try Self.keeping(state)
            // The killed process's files close, and their locks end.
            sink = try Self.sink(folder, rows, notes, keeping)
            // Another program appends to a file while the daemon is down.
            if Bool.random(using: &random), let name = try names.randomElement(using: &random) {
                let note = Array("# note \(records)\n".utf8)
                var status = stat()
                try #require(stat(folder.file(name), &status) == 0)
                try append(note, to: folder.file(name))
                models[UInt64(status.st_ino)]?.committed += note
            }
            let kept = FileSink.recover(
                Array(rows.withLock { $0 }.values), keeping: keeping, forms: { _ in .json }, report: notes.report)
            keeping.journal?.reset()
            rows.withLock { rows in
                rows = Dictionary(uniqueKeysWithValues: kept.map { ($0.inode, $0) })
            }
            sink = try Self.sink(folder, rows, notes, keeping)
            #expect(notes.count("set-aside") == 0)
            try check()
        }

        private func append(_ bytes: [UInt8], to path: String) throws {
            let descriptor = Glibc.open(path, O_WRONLY | O_APPEND)
            try #require(descriptor >= 0 && Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
            close(descriptor)
        }

        var names: [String] {
            get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
        }

        func check() throws {
            var found = Set<UInt64>()
            for name in try names {
                var status = stat()
                try #require(stat(folder.file(name), &status) == 0)
                let model = try #require(models[UInt64(status.st_ino)])
                #expect(folder.bytes(of: name) == model.committed + model.pending.joined())
                found.insert(UInt64(status.st_ino))
            }
            #expect(found.count == models.count)
        }
    }

    @Test(arguments: 0..<20)
    func committedBytesAndNoOthersSurvive(_ seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var world = try World()
        for _ in 0..<400 {
            switch Int.random(in: 0..<20, using: &random) {
            case 0: try world.kill(&random)
            case 1: world.rotate(&random)
            case 2, 3: world.sink.reopen()
            case 4, 5: try world.commit()
            default: try world.append(&random)
            }
        }
        try world.check()
        try world.kill(&random)
    }
}
