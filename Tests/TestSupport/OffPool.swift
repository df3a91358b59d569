import Glibc
import Synchronization
import Testing

extension Trait where Self == OffPool {
    /// For tests that wait for a thread, a process, a descriptor or a clock: `@Suite(.offPool)` or `@Test(.offPool)`.
    public static var offPool: Self { OffPool() }
}

/// Runs tests on threads of their own instead of Swift's cooperative pool, whose few threads must never wait.
///
/// The tests stay ordinary functions: a task executor runs them, so an expectation that fails is reported for its test.
/// At most `Places.count` of them run at once; the others wait without a thread.
public struct OffPool: TestTrait, SuiteTrait, TestScoping {
    /// Set while a test has its place, so that a suite and a test of it may both ask for one.
    @TaskLocal private static var hasPlace = false

    public var isRecursive: Bool { true }

    public func scopeProvider(for test: Test, testCase: Test.Case?) -> OffPool? { testCase == nil ? nil : self }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        if Self.hasPlace { return try await function() }
        await Places.shared.take()
        defer { Places.shared.give() }
        try await Self.$hasPlace.withValue(true) {
            try await withTaskExecutorPreference(ThreadExecutor.shared) { try await function() }
        }
    }
}

/// Runs `body`, which may block, on a thread of its own, for tests that are asynchronous otherwise.
public func offPool<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    let asynchronous: @Sendable () async throws -> Result = { try body() }
    return try await withTaskExecutorPreference(ThreadExecutor.shared) { try await asynchronous() }
}

/// How many tests may block at once.
private final class Places: Sendable {
    static let shared = Places()
    static let count = max(4, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    private struct State {
        var free = Places.count
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    func give() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}

/// Runs each piece of a task, from one suspension to the next, on a new thread.
private final class ThreadExecutor: TaskExecutor {
    static let shared = ThreadExecutor()

    private final class Start: Sendable {
        let job: UnownedJob
        init(_ job: UnownedJob) { self.job = job }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let start = Unmanaged.passRetained(Start(job))
        var thread = pthread_t()
        if pthread_create(&thread, nil, Self.run, start.toOpaque()) == 0 {
            pthread_detach(thread)
        } else {
            // Without a thread the job still has to run, or the test would never end.
            start.release()
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }

    private static let run: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        guard let argument else { return nil }
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        start.job.runSynchronously(on: ThreadExecutor.shared.asUnownedTaskExecutor())
        return nil
    }
}
