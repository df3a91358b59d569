import Streams
import TestSupport
import Testing

@Suite(.offPool) struct ThreadsTests {
    private struct Counts: Sendable {
        var made = 0
        var taken = 0
        var waiting = 0
    }

    @Test func aMonitorHandsOverEveryItem() throws {
        let monitor = Monitor(Counts(), conditions: 2)
        let items = 20_000
        let threads = try (0..<4).map { index in
            try WorkerThread(name: "t\(index)") {
                for _ in 0..<items {
                    if index % 2 == 0 {
                        monitor.wait(on: 0) { state -> Void? in
                            guard state.waiting < 8 else { return nil }
                            state.waiting += 1
                            state.made += 1
                            return ()
                        }
                        monitor.signal(1)
                    } else {
                        monitor.wait(on: 1) { state -> Void? in
                            guard state.waiting > 0 else { return nil }
                            state.waiting -= 1
                            state.taken += 1
                            return ()
                        }
                        monitor.signal(0)
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        let counts = monitor.withLock { $0 }
        #expect(counts.made == 2 * items && counts.taken == 2 * items && counts.waiting == 0)
    }

    @Test func processorsAreCountedFromTheMask() {
        func count(_ mask: String) -> Int? {
            Processors.allowed(inStatus: Array("Name:\tx\nCpus_allowed:\t\(mask)\nCpus_allowed_list:\t0-1\n".utf8))
        }
        #expect(count("3") == 2)
        #expect(count("ff,00000001") == 9)
        #expect(count("0") == nil)
        #expect(Processors.allowed(inStatus: []) == nil)
        #expect(Processors.available >= 1)
    }
}
