import CFiles
import Glibc

/// A mutex, the state that it guards, and the conditions that threads wait for on that state.
///
/// A wait is a closure that is called again each time its condition is signalled, so no thread holds a reference into
/// the state while it sleeps.
///
/// `@unchecked Sendable`: the pointers never change, and their targets are accessed only with the mutex held.
public final class Monitor<State: Sendable>: @unchecked Sendable {
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>
    @usableFromInline let conditions: UnsafeMutablePointer<pthread_cond_t>
    @usableFromInline let state: UnsafeMutablePointer<State>
    private let conditionCount: Int

    /// A monitor with the conditions 0 ..< `conditions`.
    public init(_ initial: State, conditions count: Int = 1) {
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        conditions = .allocate(capacity: count)
        conditionCount = count
        // Waits with a deadline use the monotonic clock, which can't be set.
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        for index in 0..<count { pthread_cond_init(conditions + index, &attributes) }
        pthread_condattr_destroy(&attributes)
        state = .allocate(capacity: 1)
        state.initialize(to: initial)
    }

    deinit {
        for index in 0..<conditionCount { pthread_cond_destroy(conditions + index) }
        conditions.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
        state.deinitialize(count: 1)
        state.deallocate()
    }

    @inlinable
    public func withLock<Result>(_ body: (inout State) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&state.pointee)
    }

    /// Calls `body` under the lock until it returns a value, sleeping on `condition` between calls.
    @inlinable
    public func wait<Result>(on condition: Int, until body: (inout State) -> Result?) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state.pointee) { return result }
            pthread_cond_wait(conditions + condition, mutex)
        }
    }

    /// As `wait`, but returns nil at `deadline`, a time of `Monotonic.nanoseconds`.
    @inlinable
    public func wait<Result>(
        on condition: Int, until deadline: UInt64, _ body: (inout State) -> Result?
    ) -> Result? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var end = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
        while true {
            if let result = body(&state.pointee) { return result }
            if pthread_cond_timedwait(conditions + condition, mutex, &end) == ETIMEDOUT {
                return body(&state.pointee)
            }
        }
    }

    @inlinable
    public func signal(_ condition: Int) {
        pthread_cond_signal(conditions + condition)
    }

    @inlinable
    public func broadcast(_ condition: Int) {
        pthread_cond_broadcast(conditions + condition)
    }
}

/// The monotonic clock.
public enum Monotonic {
    /// Nanoseconds since a fixed moment (CLOCK_MONOTONIC).
    @inlinable
    public static var nanoseconds: UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }
}
