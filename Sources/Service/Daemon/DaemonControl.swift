import Diagnostics
import Streams

/// What the daemon's main thread is asked to do. Requests of one kind that come together are one; none that comes while
/// another is being carried out is lost.
package final class DaemonControl: Sendable {
    package enum Request: Sendable, Equatable {
        /// Drain and end. The error, if it isn't a wish but a failure.
        case stop(UnderstudyError?)
        /// Read the configuration again and open the outputs anew.
        case reload
        /// The student's link points somewhere else.
        case modelsChanged
        /// Some source has ended.
        case sourceEnded
        /// Something was committed a while after the last look at how the student does.
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

    /// Waits for the next request; stopping comes before all others.
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
