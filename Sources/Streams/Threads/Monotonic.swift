import Glibc

/// The clock that only goes forward, at the speed of seconds.
public enum Monotonic {
    /// Nanoseconds since some fixed moment (CLOCK_MONOTONIC).
    @inlinable
    public static var nanoseconds: UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }
}
