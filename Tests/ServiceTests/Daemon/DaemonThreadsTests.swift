import Foundation
import Glibc
import Service
import Streams
import Synchronization
import TestSupport
import Testing

/// What a daemon's threads do to the process that it runs in. Each test has a process of its own.
@Suite(.offPool) struct DaemonThreadsTests {
    private static let settings = """
        models: {student: FOLDER}
        cascade: {teacher_threads: 1}
        sources:
          - {name: drops, kind: directory, path: FOLDER/in}
          - {name: wire, kind: fifo, path: FOLDER/wire, spool: true}
        sinks:
          - {name: all, kind: file, path: FOLDER/all.tsv, format: tsv}
          - {name: pipe, kind: fifo, path: FOLDER/pipe, when_full: drop}
        state: {directory: FOLDER/state, commit_interval_milliseconds: 5}
        redistill: {train: FOLDER/train.jsonl, holdout: FOLDER/holdout.jsonl, shadow: 0.5}
        http: {listen: "unix:FOLDER/http.sock"}
        """

    @Test func aDaemonThatEndsLeavesNoThreads() async {
        await #expect(processExitsWith: .success) {
            try await offPool {
                func run(_ round: Int) throws {
                    let stand = try Stand(DaemonThreadsTests.settings)
                    stand.put("\(round)", lines: 20)
                    try stand.start()
                    try #require(eventually { stand.count("READY=1") == 1 && stand.answers().count == 20 })
                    let wanted = [
                        "signals", "status", "watchdog", "committer", "link", "link", "spool wire", "fifo pipe",
                    ]
                    let isComplete = eventually {
                        var threads = DaemonThreadsTests.threadNames
                        return wanted.allSatisfy { name in
                            guard let index = threads.firstIndex(of: name) else { return false }
                            threads.remove(at: index)
                            return true
                        }
                    }
                    try #require(isComplete, "not all of \(wanted) are in \(DaemonThreadsTests.threadNames)")
                    try #require(stand.stop() == nil)
                }
                try run(0)
                let before = DaemonThreadsTests.threadNames
                for round in 1...20 { try run(round) }
                // Threads of the run-time library come and go by themselves.
                let isOver = eventually { DaemonThreadsTests.threadNames.count <= before.count }
                try #require(isOver, "\(before) became \(DaemonThreadsTests.threadNames)")
            }
        }
    }

    @Test func healthIsAnsweredWhileTheCooperativePoolIsStuck() async {
        await #expect(processExitsWith: .success) {
            let stand = try Stand(DaemonThreadsTests.settings)
            stand.put("甲", lines: 20)
            let hasRun = Mutex(false)
            // Far more tasks than the pool has threads, none of which ends. Where the pool has one thread, this test
            // holds it itself.
            for _ in 0..<(32 * Processors.available) {
                Task.detached { () -> Void in while true { sleep(1000) } }
            }
            Task.detached { hasRun.withLock { $0 = true } }
            let check = try WorkerThread(name: "checks") {
                let isWell = (try? DaemonThreadsTests.answersRequests(stand)) ?? false
                // The pool was stuck from the start to the end: the last task never ran.
                let wasStuck = !hasRun.withLock { $0 }
                _exit(isWell && wasStuck ? 0 : 1)
            }
            check.join()
        }
    }

    private static func answersRequests(_ stand: Stand) throws -> Bool {
        try stand.start()
        let address = StatusAddress.unix(path: stand.path + "/http.sock")
        guard eventually({ stand.count("READY=1") == 1 && stand.answers().count == 20 }) else { return false }
        for path in ["/healthz", "/readyz", "/status", "/metrics", "/"] {
            let answer = StatusTestClient.ask(address, "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
            guard answer?.hasPrefix("HTTP/1.1 200 OK\r\n") == true else { return false }
        }
        return stand.stop() == nil
    }

    /// Of this process.
    private static var threadNames: [String] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return tasks.compactMap { try? String(contentsOfFile: "/proc/self/task/\($0)/comm", encoding: .utf8) }
            .map { $0.trimmingCharacters(in: .newlines) }.sorted()
    }
}
