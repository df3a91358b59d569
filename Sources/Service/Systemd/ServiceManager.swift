import CSystemd
import Glibc

/// What the daemon tells the service manager that started it (sd_notify(3)). Without one, every call does nothing.
public struct ServiceManager: Sendable {
    /// How long the manager waits for `watchdog()` before it kills this process; nil if it doesn't watch. Half of it
    /// is a good interval to call at.
    public let watchdogInterval: Duration?

    private let send: (@Sendable (String) -> Void)?
    private let monotonicMicroseconds: @Sendable () -> UInt64

    /// The manager named by the environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    public init() {
        var microseconds: UInt64 = 0
        let interval: Duration? =
            sd_watchdog_enabled(0, &microseconds) > 0 ? .microseconds(Int64(clamping: microseconds)) : nil
        // A manager that can't be told isn't worth failing for: what it then does, it says in its own log.
        let notify: @Sendable (String) -> Void = { state in _ = sd_notify(0, state) }
        self.init(
            watchdogInterval: interval, monotonicMicroseconds: Self.clockMicroseconds,
            send: getenv("NOTIFY_SOCKET") == nil ? nil : notify)
    }

    /// A manager that takes every message through `send`, with a clock that can be scripted.
    package init(
        watchdogInterval: Duration?, monotonicMicroseconds: @escaping @Sendable () -> UInt64,
        send: (@Sendable (String) -> Void)?
    ) {
        self.watchdogInterval = watchdogInterval
        self.monotonicMicroseconds = monotonicMicroseconds
        self.send = send
    }

    /// Whether anybody listens, so that a status need not be put together for nobody.
    public var isPresent: Bool { send != nil }

    /// Starting or reloading is done. `systemctl start` and `systemctl reload` return now.
    public func ready(status: String) {
        send?("READY=1\nSTATUS=\(Self.line(status))")
    }

    /// The line that `systemctl status` shows.
    public func status(_ text: String) {
        send?("STATUS=\(Self.line(text))")
    }

    /// A reload begins; `ready` ends it. The time tells the manager which of several requests this answers.
    public func reloading() {
        send?("RELOADING=1\nMONOTONIC_USEC=\(monotonicMicroseconds())")
    }

    /// The end has begun: no new lines are taken.
    public func stopping() {
        send?("STOPPING=1")
    }

    /// The work goes on. To be called from the loop that does it, so that a stuck one is noticed.
    public func watchdog() {
        send?("WATCHDOG=1")
    }

    /// Starting, reloading or stopping needs so much longer, counted from now.
    public func extendTimeout(by time: Duration) {
        let microseconds = max(0, time / .microseconds(1))
        send?("EXTEND_TIMEOUT_USEC=\(UInt64(microseconds.rounded()))")
    }

    /// A newline would begin the next assignment, and the manager refuses a message with other control characters.
    private static func line(_ text: String) -> String {
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            line.append(scalar.properties.generalCategory == .control ? " " : scalar)
        }
        return String(line)
    }

    /// CLOCK_MONOTONIC, the clock that `MONOTONIC_USEC=` is defined in.
    @Sendable private static func clockMicroseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1_000
    }
}
