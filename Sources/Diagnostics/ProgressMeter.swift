import Glibc
import Synchronization

/// Shows the progress of long work: a bar that is redrawn in place on a terminal, otherwise occasional plain lines.
///
/// Any thread may report. The clock and the output are parameters, so that tests can replace both;
/// `ProgressMeter.standardError()` is the one for commands. (Not named `Progress`: Foundation has a type of that name.)
public final class ProgressMeter: Sendable {
    /// How progress is shown.
    public enum Style: Sendable {
        /// One line, rewritten in place; `width` returns the terminal's columns at each drawing.
        case bar(characters: ProgressRenderer.Characters, width: @Sendable () -> Int)
        /// Plain lines, at most one per interval and one at each stage's end.
        case lines(every: Duration)
        /// No output.
        case silent
    }

    private enum State {
        case idle
        case running(ProgressSnapshot, began: Duration, shown: Duration?)
    }

    /// Minimum interval between redraws of a bar: ten per second look continuous and cost little.
    static let redrawInterval = Duration.milliseconds(100)

    private let style: Style
    private let now: @Sendable () -> Duration
    private let write: @Sendable (String) -> Void
    private let state = Mutex(State.idle)

    /// - Parameters:
    ///   - now: the time since a fixed moment; must be monotonic.
    ///   - write: writes text unchanged; called by one thread at a time.
    public init(style: Style, now: @escaping @Sendable () -> Duration, write: @escaping @Sendable (String) -> Void) {
        self.style = style
        self.now = now
        self.write = write
    }

    /// Shows nothing: for callers without a meter.
    public static let silent = ProgressMeter(style: .silent, now: { .zero }, write: { _ in })

    /// Begins a stage; a stage that is still running ends first. `total` is nil if unknown.
    public func begin(_ stage: String, total: Int?, unit: String = "lines") {
        state.withLock { state in
            finish(&state)
            let snapshot = ProgressSnapshot(stage: stage, unit: unit, completed: 0, total: total, elapsed: .zero)
            let moment = now()
            state = .running(snapshot, began: moment, shown: nil)
            if case .bar = style { show(&state, at: moment) }
        }
    }

    /// Reports `count` more finished units, and the latest loss and accuracy if given. Ignored between stages.
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

    /// Prints a message on its own line, above the bar.
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

    /// Ends the stage without a summary: for work that is summarised elsewhere.
    public func cancel() {
        state.withLock { state in
            if case .bar = style, case .running = state { write("\r\u{1B}[K") }
            state = .idle
        }
    }

    /// Runs `body`, which may write to the same terminal: the bar is removed before, and drawn again after.
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
            // One column is left free, since a full line would wrap.
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

/// The state of a long piece of work at one moment.
public struct ProgressSnapshot: Sendable, Equatable {
    /// The name of the current stage for display: `epoch 2/6`.
    public var stage: String
    /// The name of the counted unit: `lines`.
    public var unit: String
    /// Units finished since the stage began.
    public var completed: Int
    /// Total number of units; nil if unknown in advance.
    public var total: Int?
    /// Time since the stage began.
    public var elapsed: Duration
    public var loss: Double?
    /// A share, 0 to 1.
    public var accuracy: Double?
    /// The share of deferred lines, 0 to 1.
    public var deferred: Double?

    public init(
        stage: String, unit: String = "lines", completed: Int, total: Int?, elapsed: Duration, loss: Double? = nil,
        accuracy: Double? = nil
    ) {
        self.stage = stage
        self.unit = unit
        self.completed = completed
        self.total = total
        self.elapsed = elapsed
        self.loss = loss
        self.accuracy = accuracy
    }

    /// The finished share, 0 to 1; nil without a total.
    public var share: Double? {
        guard let total, total > 0 else { return nil }
        return min(1, max(0, Double(completed) / Double(total)))
    }

    /// Units per second since the stage began; nil before the first unit.
    public var rate: Double? {
        let seconds = elapsed / .seconds(1)
        guard completed > 0, seconds > 0 else { return nil }
        return Double(completed) / seconds
    }

    /// The time left at the present rate; nil if unknown.
    public var timeLeft: Duration? {
        guard let total, let rate else { return nil }
        return .seconds(Double(max(0, total - completed)) / rate)
    }
}

/// The system interface of progress reporting: standard error, the terminal's width, the monotonic clock.
extension ProgressMeter {
    /// A bar if standard error is a terminal, otherwise a plain line at most every `interval`.
    public static func standardError(every interval: Duration = .seconds(10)) -> ProgressMeter {
        let clock = ContinuousClock()
        let start = clock.now
        return ProgressMeter(
            style: ProgressTerminal.style(every: interval), now: { start.duration(to: clock.now) },
            write: StandardError.write)
    }
}

enum ProgressTerminal {
    static func style(every interval: Duration) -> ProgressMeter.Style {
        guard isatty(STDERR_FILENO) == 1, EnvironmentVariable.value("TERM") != "dumb" else {
            return .lines(every: interval)
        }
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(EnvironmentVariable.value).first ?? ""
        let isUTF8 = locale.uppercased().contains("UTF-8") || locale.uppercased().contains("UTF8")
        return .bar(characters: isUTF8 ? .unicode : .ascii, width: width)
    }

    /// The columns of standard error's terminal; 80 if unknown.
    @Sendable static func width() -> Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
