import Diagnostics

/// The result of a training that can be stopped between two steps.
///
/// A trainer returns weights only as `learnt`. If it was stopped before an epoch was finished and measured, it returns
/// no weights, so that no caller can publish an untrained model.
public enum TrainingOutcome<Learnt> {
    /// The best epoch: all epochs ran, or at least one was finished and measured before the stop.
    case learnt(Learnt)
    /// Stopped before the first epoch was finished and measured.
    case stoppedEarly

    /// Errors: `tryAgain` if training was stopped before the first epoch was measured.
    public func get() throws(UnderstudyError) -> Learnt {
        guard case .learnt(let learnt) = self else { throw .trainingStopped("in the first epoch") }
        return learnt
    }
}

extension UnderstudyError {
    /// Training was stopped at `place`, before there was a result.
    static func trainingStopped(_ place: String) -> UnderstudyError {
        UnderstudyError(
            .tryAgain, "training was stopped \(place), before an epoch had been measured; nothing is written")
    }
}
