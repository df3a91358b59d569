import CSystemd
import Glibc

/// Notifications to the service manager that started the daemon (sd_notify(3)). Without a manager all calls do nothing.
public struct ServiceManager: Sendable {
    /// Maximum time between calls of `watchdog()` before the manager kills this process; nil if its watchdog is off.
    /// Half of it is a good interval for the calls.
    public let watchdogInterval: Duration?

    private let send: (@Sendable (String) -> Void)?
    private let monotonicMicroseconds: @Sendable () -> UInt64

    /// The manager named in the environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    public init() {
        var microseconds: UInt64 = 0
        let interval: Duration? =
            sd_watchdog_enabled(0, &microseconds) > 0 ? .microseconds(Int64(clamping: microseconds)) : nil
        // A failed notification is ignored; the manager logs the consequences itself.
        let notify: @Sendable (String) -> Void = { state in _ = sd_notify(0, state) }
        self.init(
            watchdogInterval: interval, monotonicMicroseconds: Self.clockMicroseconds,
            send: getenv("NOTIFY_SOCKET") == nil ? nil : notify)
    }

    /// A manager that receives all messages through `send`, with a clock for tests.
    package init(
        watchdogInterval: Duration?, monotonicMicroseconds: @escaping @Sendable () -> UInt64,
        send: (@Sendable (String) -> Void)?
    ) {
        self.watchdogInterval = watchdogInterval
        self.monotonicMicroseconds = monotonicMicroseconds
        self.send = send
    }

    /// Whether there is a manager. Without one no status needs to be built.
    public var isPresent: Bool { send != nil }

    /// Reports the end of starting or reloading. `systemctl start` and `systemctl reload` return now.
    public func ready(status: String) {
        send?("READY=1\nSTATUS=\(Self.line(status))")
    }

    /// Sets the line that `systemctl status` shows.
    public func status(_ text: String) {
        send?("STATUS=\(Self.line(text))")
    }

    /// Reports the start of a reload; `ready` ends it. The time tells the manager which of several requests it answers.
    public func reloading() {
        send?("RELOADING=1\nMONOTONIC_USEC=\(monotonicMicroseconds())")
    }

    /// Reports the start of the shutdown: no new lines are read.
    public func stopping() {
        send?("STOPPING=1")
    }

    /// Reports liveness. Must be called from the working loop, so that a stuck loop is noticed.
    public func watchdog() {
        send?("WATCHDOG=1")
    }

    /// Extends the time limit of starting, reloading or stopping, counted from now.
    public func extendTimeout(by time: Duration) {
        let microseconds = max(0, time / .microseconds(1))
        send?("EXTEND_TIMEOUT_USEC=\(UInt64(microseconds.rounded()))")
    }

    /// A newline would start another assignment, and the manager refuses messages with other control characters.
    private static func line(_ text: String) -> String {
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            line.append(scalar.properties.generalCategory == .control ? " " : scalar)
        }
        return String(line)
    }

    /// CLOCK_MONOTONIC, which defines `MONOTONIC_USEC=`.
    @Sendable private static func clockMicroseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1_000
    }
}
