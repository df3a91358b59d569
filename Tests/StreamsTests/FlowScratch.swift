import Diagnostics
import Foundation
import Glibc
import Streams
import Testing

/// A directory that is there for one test.
final class FlowScratch: Sendable {
    let path: String

    init() throws {
        // In memory where that can be had: what is synced there costs nothing.
        let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : NSTemporaryDirectory()
        path = parent + "understudy-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Waits for what another thread does; gives up after a minute, far longer than it ever takes.
    static func wait(until condition: () -> Bool) {
        for _ in 0..<60_000 {
            if condition() { return }
            usleep(1000)
        }
        Issue.record("waited in vain")
    }
}

/// Collects what was reported.
struct FlowReports: Sendable {
    private let monitor = Monitor([UnderstudyError]())

    var all: [UnderstudyError] { monitor.withLock { $0 } }

    var report: @Sendable (UnderstudyError) -> Void {
        let monitor = monitor
        return { error in monitor.withLock { $0.append(error) } }
    }
}
