import Glibc

/// A mutex, the state that it guards, and the conditions that threads wait for on that state.
///
/// A wait is a closure that is tried again each time its condition is signalled, so no thread holds a reference into
/// the state while it sleeps.
///
/// `@unchecked Sendable`: the pointers never change, and what they point to is touched only with the mutex held.
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
        for index in 0..<count { pthread_cond_init(conditions + index, nil) }
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

    /// Tries `body` under the lock until it gives a value, sleeping on `condition` between tries.
    @inlinable
    public func wait<Result>(on condition: Int, until body: (inout State) -> Result?) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state.pointee) { return result }
            pthread_cond_wait(conditions + condition, mutex)
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
