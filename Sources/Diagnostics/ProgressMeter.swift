import Synchronization

/// Tells how far long work has come: a bar that is redrawn in place on a terminal, plain lines now and then elsewhere.
///
/// Any thread may report. The clock and the output are given, so that tests can script both;
/// `ProgressMeter.standardError()` is the one for commands. (Not named `Progress`: Foundation has a type of that name.)
public final class ProgressMeter: Sendable {
    /// How progress is shown.
    public enum Style: Sendable {
        /// One line, rewritten in place; `width` gives the terminal's columns at each drawing.
        case bar(characters: ProgressRenderer.Characters, width: @Sendable () -> Int)
        /// Plain lines, at most one per interval and one at each stage's end.
        case lines(every: Duration)
        /// Nothing at all.
        case silent
    }

    private enum State {
        case idle
        case running(ProgressSnapshot, began: Duration, shown: Duration?)
    }

    /// A bar is redrawn at most this often: ten times a second looks alive and costs nothing.
    static let redrawInterval = Duration.milliseconds(100)

    private let style: Style
    private let now: @Sendable () -> Duration
    private let write: @Sendable (String) -> Void
    private let state = Mutex(State.idle)

    /// - Parameters:
    ///   - now: the time since some fixed moment; must not run backwards.
    ///   - write: takes text as it is; called by one thread at a time.
    public init(style: Style, now: @escaping @Sendable () -> Duration, write: @escaping @Sendable (String) -> Void) {
        self.style = style
        self.now = now
        self.write = write
    }

    /// Shows nothing: for callers that weren't given a meter.
    public static let silent = ProgressMeter(style: .silent, now: { .zero }, write: { _ in })

    /// Begins a stage; a stage that is still running ends first. `total` is nil where it isn't known.
    public func begin(_ stage: String, total: Int?, unit: String = "lines") {
        state.withLock { state in
            finish(&state)
            let snapshot = ProgressSnapshot(stage: stage, unit: unit, completed: 0, total: total, elapsed: .zero)
            let moment = now()
            state = .running(snapshot, began: moment, shown: nil)
            if case .bar = style { show(&state, at: moment) }
        }
    }

    /// Reports `count` more units done, and the latest loss and accuracy where given. Ignored between stages.
    public func advance(
        by count: Int = 1, loss: Double? = nil, accuracy: Double? = nil, deferred: Double? = nil
    ) {
        state.withLock { state in
            guard case .running(var snapshot, let began, let shown) = state else { return }
            let moment = now()
            snapshot.completed += count
            snapshot.elapsed = moment - began
            if let loss { snapshot.loss = loss }
            if let accuracy { snapshot.accuracy = accuracy }
            if let deferred { snapshot.deferred = deferred }
            state = .running(snapshot, began: began, shown: shown)
            let interval: Duration
            switch style {
            case .bar: interval = Self.redrawInterval
            case .lines(let every): interval = every
            case .silent: return
            }
            if moment - (shown ?? began) >= interval { show(&state, at: moment) }
        }
    }

    /// Ends the stage: its summary stays on the screen and in the log.
    public func end() {
        state.withLock { finish(&$0) }
    }

    /// Says something on a line of its own, above the bar.
    public func note(_ text: String) {
        state.withLock { state in
            switch style {
            case .silent: return
            case .lines: write(text + "\n")
            case .bar:
                write("\r\u{1B}[K" + text + "\n")
                show(&state, at: now())
            }
        }
    }

    /// Ends the stage without a trace: for work that is summed up elsewhere.
    public func cancel() {
        state.withLock { state in
            if case .bar = style, case .running = state { write("\r\u{1B}[K") }
            state = .idle
        }
    }

    /// Lets `body` write to the same terminal: the bar makes room before, and is drawn again after.
    public func aside<Result: Sendable>(
        _ body: () throws(UnderstudyError) -> Result
    ) throws(UnderstudyError) -> Result {
        try state.withLock { (state) throws(UnderstudyError) -> Result in
            if case .bar = style, case .running = state { write("\r\u{1B}[K") }
            defer { if case .bar = style { show(&state, at: now()) } }
            return try body()
        }
    }

    private func show(_ state: inout State, at moment: Duration) {
        guard case .running(let snapshot, let began, _) = state else { return }
        switch style {
        case .bar(let characters, let width):
            // One column is left free: a full line would wrap.
            write("\r" + ProgressRenderer.bar(snapshot, width: width() - 1, characters: characters) + "\u{1B}[K")
        case .lines: write(ProgressRenderer.line(snapshot) + "\n")
        case .silent: break
        }
        state = .running(snapshot, began: began, shown: moment)
    }

    private func finish(_ state: inout State) {
        guard case .running(var snapshot, let began, _) = state else { return }
        snapshot.elapsed = now() - began
        switch style {
        case .bar: write("\r\u{1B}[K" + ProgressRenderer.summary(snapshot) + "\n")
        case .lines: write(ProgressRenderer.summary(snapshot) + "\n")
        case .silent: break
        }
        state = .idle
    }
}
