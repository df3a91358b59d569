import CFiles
import Diagnostics
import Glibc

/// Passes on repeated reports at most twice a minute for each key, with the number of suppressed ones.
public final class RateLimitedReport: Sendable {
    private struct Window: Sendable {
        var start: Int64
        var passed: Int
        var heldBack: Int
    }

    private static let windowSeconds: Int64 = 60
    private static let mostInWindow = 2
    /// Maximum number of remembered keys; the oldest is removed, so that keys made from data can't exhaust the memory.
    private static let mostKeys = 256

    private let report: @Sendable (UnderstudyError) -> Void
    private let seconds: @Sendable () -> Int64
    private let windows = Monitor([String: Window]())

    /// `seconds` is a monotonic clock.
    public init(
        _ report: @escaping @Sendable (UnderstudyError) -> Void,
        seconds: @escaping @Sendable () -> Int64 = RateLimitedReport.monotonicSeconds
    ) {
        self.report = report
        self.seconds = seconds
    }

    /// Passes `error` on, or counts it; the count is added to the next report of the same key.
    public func callAsFunction(_ key: String, _ error: UnderstudyError) {
        let now = seconds()
        let heldBack = windows.withLock { windows -> Int? in
            var window = windows[key] ?? Window(start: now, passed: 0, heldBack: 0)
            if now - window.start >= Self.windowSeconds { (window.start, window.passed) = (now, 0) }
            let passes = window.passed < Self.mostInWindow
            let before = window.heldBack
            window.passed += passes ? 1 : 0
            window.heldBack = passes ? 0 : before + 1
            if windows[key] == nil, windows.count >= Self.mostKeys,
                let oldest = windows.min(by: { $0.value.start < $1.value.start })
            {
                windows[oldest.key] = nil
            }
            windows[key] = window
            return passes ? before : nil
        }
        guard let heldBack else { return }
        guard heldBack > 0 else { return report(error) }
        let times = heldBack == 1 ? "once" : "\(heldBack) times"
        report(UnderstudyError(error.code, "\(error.message) (suppressed \(times) before this)", at: error.place))
    }

    /// The system's monotonic clock.
    @Sendable public static func monotonicSeconds() -> Int64 { Int64(Monotonic.nanoseconds / 1_000_000_000) }
}
