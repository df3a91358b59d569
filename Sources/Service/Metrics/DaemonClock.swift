import Glibc

/// The clocks that metrics read; given, so that tests can script them. Both in seconds.
public struct DaemonClock: Sendable {
    /// Since 1970.
    public var wall: @Sendable () -> Double
    /// Since some fixed moment; never runs backwards.
    public var monotonic: @Sendable () -> Double

    public init(wall: @escaping @Sendable () -> Double, monotonic: @escaping @Sendable () -> Double) {
        self.wall = wall
        self.monotonic = monotonic
    }

    public static let system = DaemonClock(wall: { read(CLOCK_REALTIME) }, monotonic: { read(CLOCK_MONOTONIC) })

    private static func read(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
