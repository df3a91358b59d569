/// Decides when files get a turn, and whether they may still grow.
final class GrowthJudge {
    private let settings: DirectorySource.Settings
    private let settleNanoseconds: UInt64
    private let turns: TurnSchedule

    init(_ settings: DirectorySource.Settings, limits: DirectoryLimits, turns: TurnSchedule) {
        self.settings = settings
        settleNanoseconds = limits.settleNanoseconds
        self.turns = turns
    }

    /// A name of the file was examined: gives the file a turn if it may have data to read.
    func judge(_ file: TrackedFile, _ status: FileStatus, _ occasion: NameOccasion) {
        if file.isBlocked {
            guard occasion != .scan || file.changed != status.changed else { return }
            file.isBlocked = false
        }
        switch settings.mode {
        case .tail:
            // A file that was renamed and then closed no longer has a writer.
            if case .settling = file.growth, occasion == .closed { file.growth = .settled }
            if occasion == .scan, isUnchanged(file, status), file.isFinished || file.hasNothingLeft { return }
        case .files:
            if occasion == .closed || occasion == .arrived { file.growth = .settled }
            if occasion == .changed, file.isEntered { return }
            if occasion == .scan {
                let isDone = file.isFinished && isUnchanged(file, status)
                if isDone, !isLeftOver(file) { return }
                if !isDone { judgeAge(file, status) }
            }
        }
        turns.enqueue(file)
    }

    /// Whether an earlier run had answered the file but not moved or deleted it.
    func isLeftOver(_ file: TrackedFile) -> Bool {
        settings.after != .keep && file.isFinished && !file.isAnswered
    }

    /// A followed file has lost its name: its writer will continue only for a limited time.
    func depart(_ file: TrackedFile) {
        if !file.isSettled { settle(file, at: Monotonic.nanoseconds + settleNanoseconds) }
    }

    /// A finished file has grown: reading continues.
    func goOn(_ file: TrackedFile) {
        file.isFinished = false
        if settings.mode == .tail { settle(file, at: Monotonic.nanoseconds + settleNanoseconds) }
    }

    /// The timer of a file whose end hasn't been reached is due.
    func noteDue(_ file: TrackedFile) {
        guard case .settling(let due) = file.growth else { return turns.enqueue(file) }
        if due > Monotonic.nanoseconds {
            turns.wakeUp(file, at: due)
        } else {
            file.growth = .settled
            turns.enqueue(file)
        }
    }

    private func isUnchanged(_ file: TrackedFile, _ status: FileStatus) -> Bool {
        file.size == status.size && file.modified == status.modified
    }

    /// A file that was found in a scan may still have a writer if it changed recently.
    private func judgeAge(_ file: TrackedFile, _ status: FileStatus) {
        guard let age = status.age, age < settleNanoseconds else {
            file.growth = .settled
            return
        }
        settle(file, at: Monotonic.nanoseconds + settleNanoseconds - age)
    }

    private func settle(_ file: TrackedFile, at due: UInt64) {
        file.growth = .settling(until: due)
        turns.wakeUp(file, at: due)
    }
}
