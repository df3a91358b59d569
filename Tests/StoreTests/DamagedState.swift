import Diagnostics
import Store
import Streams
import TestSupport

/// A database of many commits as a crash leaves it, and what it may give back after damage.
///
/// Commit number n moves the checkpoint of one file to offset n and the only sink to length n, so a state shows of which
/// age each of its rows is.
struct DamagedState {
    let main: [UInt8]
    let log: [UInt8]
    /// After each commit: the offset of each file, by inode.
    let history: [[UInt64: UInt64]]

    /// `stops`: whether the daemon was stopped halfway, so that the older half stands in the main file alone. Otherwise
    /// it isn't, and after some 170 commits SQLite has copied the log to the main file by itself: what is older in the
    /// log is newer there.
    init(commits: Int, stops: Bool) throws {
        let folder = try TemporaryFolder()
        var history: [[UInt64: UInt64]] = [[:]]
        var store = try Store.open(directory: folder.path) { _ in }
        for number in 1...UInt64(commits) {
            if stops, number == UInt64(commits) / 2 {
                try store.close()
                store = try Store.open(directory: folder.path) { _ in }
            }
            try store.commit(Self.commit(number))
            var state = history.last ?? [:]
            state[Self.inode(number)] = number
            history.append(state)
        }
        main = folder.bytes(of: "state.sqlite") ?? []
        log = folder.bytes(of: "state.sqlite-wal") ?? []
        self.history = history
        try store.close()
    }

    private static func inode(_ number: UInt64) -> UInt64 { number * 7 % 11 }

    private static func commit(_ number: UInt64) -> Commit {
        Commit(
            checkpoints: [Samples.checkpoint(inode: inode(number), offset: number, unanswered: [number / 2])],
            sinks: [Samples.sink(inode: 1, length: number)],
            disagreements: [Samples.row(id: number, text: "第\(number)条：港口新航线开通")])
    }

    /// Opens the state from these files, and says what is wrong with what comes out; nil if nothing is. `isLarge`: as if
    /// the database were too large to look at every page.
    func problem(main: [UInt8], log: [UInt8], isLarge: Bool = false) throws -> String? {
        let folder = try TemporaryFolder()
        try folder.write(main, to: "state.sqlite")
        try folder.write(log, to: "state.sqlite-wal")
        let reports = Reports()
        let wholeCheck: UInt64? = isLarge ? 0 : nil
        var store = try Store.open(directory: folder.path, wholeCheck: wholeCheck, report: reports.add)
        let checkpoints = try store.checkpoints()
        let sinks = try store.sinkLengths()
        var state: [UInt64: UInt64] = [:]
        for checkpoint in checkpoints {
            let number = checkpoint.offset
            guard number >= 1, number < UInt64(history.count), Self.commit(number).checkpoints == [checkpoint] else {
                return "a checkpoint that was never committed: \(checkpoint)"
            }
            state[checkpoint.file.inode] = number
        }
        for sink in sinks {
            guard sink.length < UInt64(history.count), Self.commit(sink.length).sinks == [sink] else {
                return "a sink length that was never committed: \(sink)"
            }
            if let newest = state.values.max(), newest > sink.length {
                return "the sink ends at \(sink.length), but \(newest) counts as answered"
            }
        }
        let isSetAside = folder.names.contains { $0.hasPrefix("state.sqlite.damaged-") }
        if isSetAside != !reports.all.isEmpty { return "set aside: \(isSetAside), reported: \(reports.all)" }
        if !isSetAside, !history.contains(state) { return "a state that was never committed: \(state)" }
        // What was mended must work.
        let next = Samples.checkpoint(inode: 5, offset: 1)
        let commit = Commit(checkpoints: [next], disagreements: [Samples.row(id: 1)])
        if let failure = Self.failure(of: commit, in: store) {
            // Damage that nobody had looked for: nothing of the commit is kept, and the next start mends it.
            guard isLarge else { return "the mended state fails: \(failure)" }
            guard try Set(store.checkpoints().map(\.offset)) == Set(state.values) else { return "half a commit" }
            try store.close()
            store = try Store.open(directory: folder.path, wholeCheck: wholeCheck, report: reports.add)
            guard folder.names.contains(where: { $0.hasPrefix("state.sqlite.damaged-") }) else {
                return "not set aside after \(failure)"
            }
            try store.commit(commit)
        }
        guard try store.checkpoints().contains(next) else { return "a commit to the mended state was lost" }
        try store.close()
        return nil
    }

    private static func failure(of commit: Commit, in store: Store) -> UnderstudyError? {
        do throws(UnderstudyError) {
            try store.commit(commit)
            return nil
        } catch {
            return error
        }
    }
}
