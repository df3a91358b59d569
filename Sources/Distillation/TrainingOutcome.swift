import Diagnostics

/// What comes of a training that can be asked to stop between two steps.
///
/// A trainer gives weights as `learnt` only. One that was stopped before it had finished and measured an epoch has no
/// weights to give, so that no caller can publish a model that has learnt nothing.
public enum TrainingOutcome<Learnt> {
    /// All epochs ran, or at least one was finished and measured before the stop; the best of them.
    case learnt(Learnt)
    /// Stopped before the first epoch was finished and measured.
    case stoppedEarly

    /// Errors: `tryAgain` where training was stopped before the first epoch was measured.
    public func get() throws(UnderstudyError) -> Learnt {
        guard case .learnt(let learnt) = self else { throw .trainingStopped("in the first epoch") }
        return learnt
    }
}

extension UnderstudyError {
    /// Training was stopped at `place`, before there was anything to keep.
    static func trainingStopped(_ place: String) -> UnderstudyError {
        UnderstudyError(
            .tryAgain, "training was stopped \(place), before an epoch had been measured; nothing is written")
    }
}
