import Dispatch

/// Work split over threads, finished before the call returns.
public enum Parallel {
    /// Calls `body` once for each of 0 ..< parts, in parallel on free cores. oneDNN calls made by `body` stay on their
    /// thread.
    ///
    /// A part must not write values that another part reads or writes: the compiler can't check that here.
    public static func run(_ parts: Int, _ body: (Int) -> Void) {
        guard parts > 1 else {
            MatrixProduct.setThreads(1)
            if parts == 1 { body(0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            // Safe to share: concurrentPerform returns only after the last part, so nothing outlives this call, and the
            // caller guarantees that the parts don't access each other's values.
            nonisolated(unsafe) let shared = body
            DispatchQueue.concurrentPerform(iterations: parts) { part in
                MatrixProduct.setThreads(1)
                shared(part)
            }
        }
    }
}
