import Diagnostics
import Glibc
import Streams
import Synchronization

/// The requests to the daemon's main thread. Pending requests of the same kind are merged. A request that arrives while
/// another is processed is kept.
package final class DaemonControl: Sendable {
    package enum Request: Sendable, Equatable {
        /// Drain and stop. The error is nil for a requested stop.
        case stop(UnderstudyError?)
        /// Read the configuration again and reopen the outputs.
        case reload
        /// The student's link has changed.
        case modelsChanged
        /// A source has ended.
        case sourceEnded
        /// The interval of monitoring has passed and something was committed.
        case look
    }

    private struct State: Sendable {
        var stops = false
        var failure: UnderstudyError?
        var reloads = false
        var modelsHaveChanged = false
        var sourceHasEnded = false
        var looks = false
    }

    private let state = Monitor(State())

    package init() {}

    package func stop(_ failure: UnderstudyError? = nil) {
        state.withLock { state in
            state.stops = true
            state.failure = state.failure ?? failure
        }
        state.signal(0)
    }

    package func reload() {
        state.withLock { $0.reloads = true }
        state.signal(0)
    }

    package func noteModels() {
        state.withLock { $0.modelsHaveChanged = true }
        state.signal(0)
    }

    package func noteEnd() {
        state.withLock { $0.sourceHasEnded = true }
        state.signal(0)
    }

    package func noteLook() {
        state.withLock { $0.looks = true }
        state.signal(0)
    }

    /// Waits for the next request. A stop takes precedence.
    package func next() -> Request {
        state.wait(on: 0) { state in
            if state.stops { return .stop(state.failure) }
            if state.sourceHasEnded {
                state.sourceHasEnded = false
                return .sourceEnded
            }
            if state.reloads {
                state.reloads = false
                return .reload
            }
            if state.modelsHaveChanged {
                state.modelsHaveChanged = false
                return .modelsChanged
            }
            if state.looks {
                state.looks = false
                return .look
            }
            return nil
        }
    }

    package var isStopping: Bool { state.withLock { $0.stops } }
}

/// SIGTERM and SIGINT drain; SIGHUP reloads.
enum DaemonSignals {
    private static let handled = [SIGTERM, SIGINT, SIGHUP]

    /// Blocks the signals until `run`. Must be called before any thread is started, because threads inherit the mask.
    static func hold() {
        SignalThread.block(handled)
        signal(SIGPIPE, SIG_IGN)
        // Ignored, so that a write to a file at its size limit fails with EFBIG, which is reported, instead of ending
        // the process.
        signal(SIGXFSZ, SIG_IGN)
    }

    /// Starts the thread that receives them. A second SIGTERM or SIGINT ends the process at once.
    static func run(_ control: DaemonControl) throws(UnderstudyError) -> SignalThread {
        let isStopping = Mutex(false)
        return try SignalThread(handled) { number in
            if number == SIGHUP {
                control.reload()
                return
            }
            let isSecond = isStopping.withLock { isStopping in
                defer { isStopping = true }
                return isStopping
            }
            if isSecond { SignalThread.endProcess(by: number) } else { control.stop() }
        }
    }
}
