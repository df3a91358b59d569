import Diagnostics
import Service
import Streams
import TestSupport
import Testing

@Suite(.offPool) struct DaemonControlTests {
    @Test func requestsOfOneKindThatComeTogetherAreOne() {
        let control = DaemonControl()
        for _ in 0..<100 {
            control.reload()
            control.noteModels()
            control.noteEnd()
        }
        #expect([control.next(), control.next(), control.next()] == [.sourceEnded, .reload, .modelsChanged])
        control.stop()
        #expect(control.next() == .stop(nil))
    }

    @Test func stoppingComesFirstAndKeepsItsReason() {
        let control = DaemonControl()
        let failure = UnderstudyError(.inputOutput, "gone")
        control.reload()
        control.stop(failure)
        control.stop(UnderstudyError(.inputOutput, "later"))
        control.stop()
        #expect(control.next() == .stop(failure) && control.next() == .stop(failure) && control.isStopping)
    }

    /// Pitfall 9: a request that comes while another is carried out is carried out after it. Each change is made before
    /// it is asked for, so whoever has carried out the last request has seen the last change.
    @Test func noneIsLostInAStorm() throws {
        let control = DaemonControl()
        let changes = Monitor([0, 0])
        let storms = try (0..<2).map { kind in
            try WorkerThread(name: "storm") {
                for _ in 0..<5000 {
                    changes.withLock { $0[kind] += 1 }
                    if kind == 0 { control.reload() } else { control.noteModels() }
                }
            }
        }
        var seen = [0, 0]
        while seen != [5000, 5000] {
            switch control.next() {
            case .reload: seen[0] = changes.withLock { $0[0] }
            case .modelsChanged: seen[1] = changes.withLock { $0[1] }
            default: Issue.record("nobody asked for that")
            }
        }
        for storm in storms { storm.join() }
        control.stop()
        // At most one more of each was under way.
        var more = 0
        while control.next() != .stop(nil) { more += 1 }
        #expect(more == 0)
    }
}
