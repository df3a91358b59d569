import Diagnostics
import Foundation
import Store
import Streams

extension FuzzTargets {
    private static let stateFolder = FuzzFolder("state")

    /// A state directory with any database and log. A start must succeed, values read must have been committed if the
    /// seals are valid, and a commit must be possible.
    ///
    /// The first byte selects whether the rest is the database itself, its log, or changes to a valid pair of them:
    /// four bytes of offset and one byte of content.
    static func state(_ bytes: [UInt8]) {
        var input = FuzzInput(bytes)
        stateFolder.empty()
        var files = StateImage.shared
        switch input.byte() % 4 {
        case 0:
            files.main = Array(input.rest)
            files.log = []
        case 1: files.log = Array(input.rest)
        case 2: change(&files.main, &input)
        default: change(&files.log, &input)
        }
        stateFolder.write(files.main, to: "state.sqlite")
        if !files.log.isEmpty { stateFolder.write(files.log, to: "state.sqlite-wal") }
        do throws(UnderstudyError) {
            try use(try Store.open(directory: stateFolder.path) { refuse($0) })
        } catch {
            // Only a newer release's state is refused.
            hold(error.code == .configuration, "a state doesn't open: \(error)")
            refuse(error)
        }
    }

    private static func change(_ file: inout [UInt8], _ input: inout FuzzInput) {
        while input.rest.count >= 5 {
            let place = input.bytes(4).reduce(0) { $0 << 8 | Int($1) } % file.count
            file[place] = input.byte()
        }
    }

    private static func use(_ store: Store) throws(UnderstudyError) {
        for checkpoint in try store.checkpoints() {
            hold(StateImage.checkpoints.contains(checkpoint), "a checkpoint that was never committed: \(checkpoint)")
        }
        for sink in try store.sinkLengths() {
            hold(StateImage.sinks.contains(sink), "a sink that was never committed: \(sink)")
        }
        _ = try store.runs(limit: 10)
        _ = try store.disagreements(limit: 100)
        try store.commit(Commit(checkpoints: [StateImage.checkpoint(9)], disagreements: [StateImage.row(9)]))
        hold(try store.checkpoints().contains(StateImage.checkpoint(9)), "a commit is lost")
        try store.close()
    }
}

/// A valid database with a log, and the data that was committed to them.
private struct StateImage {
    var main: [UInt8]
    var log: [UInt8]

    static let shared = StateImage()
    static let checkpoints = (1...9).map { checkpoint(UInt64($0)) }
    static let sinks = (1...9).map { sink(UInt64($0)) }

    private init() {
        let folder = FuzzFolder("state-image")
        do throws(UnderstudyError) {
            var store = try Store.open(directory: folder.path) { _ in }
            for number in 1...8 as ClosedRange<UInt64> {
                if number == 5 {
                    try store.close()
                    store = try Store.open(directory: folder.path) { _ in }
                }
                try store.commit(
                    Commit(
                        checkpoints: [Self.checkpoint(number)], sinks: [Self.sink(number)],
                        disagreements: [Self.row(number)]))
            }
            _ = try store.beginRun(started: 1, isDryRun: true)
            main = Array(FileManager.default.contents(atPath: "\(folder.path)/state.sqlite") ?? Data())
            log = Array(FileManager.default.contents(atPath: "\(folder.path)/state.sqlite-wal") ?? Data())
            try store.close()
        } catch {
            // It is created by this file alone.
            fatalError("a state for fuzzing can't be made: \(error)")
        }
    }

    static func checkpoint(_ number: UInt64) -> FileCheckpoint {
        FileCheckpoint(
            source: "wire", path: "/in/\(number)", file: FileIdentity(device: 7, inode: number % 4),
            offset: number * 10, line: number, isFinished: false, unanswered: [number], mark: number,
            size: number * 10, modified: 0)
    }

    static func sink(_ number: UInt64) -> SinkLength {
        SinkLength(sink: "answers", path: "/out/1", device: 7, inode: 1, length: number)
    }

    static func row(_ number: UInt64) -> DisagreementRow {
        DisagreementRow(
            id: number, source: "wire", text: "第\(number)条", time: 1_700_000_000_000_000, reason: .deferred,
            studentLogits: [1, 2], teacherLogits: [2, 1], labels: ["a", "b"], studentLabel: "b", teacherLabel: "a",
            studentConfidence: 0.7, teacherConfidence: 0.8, student: "s", teacher: "t")
    }
}
