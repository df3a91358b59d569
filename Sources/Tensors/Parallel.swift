import Dispatch

/// Work split over threads, finished before the call returns.
public enum Parallel {
    /// Calls `body` once for each of 0 ..< parts, at the same time where cores are free. oneDNN calls made by `body` stay
    /// on their thread.
    ///
    /// Parts must not write what another part reads or writes: the compiler can't see that here.
    public static func run(_ parts: Int, _ body: (Int) -> Void) {
        guard parts > 1 else {
            MatrixProduct.setThreads(1)
            if parts == 1 { body(0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            // Safe to share: concurrentPerform returns only after the last part, so nothing outlives this call, and the
            // caller promises that the parts don't touch each other's values.
            nonisolated(unsafe) let shared = body
            DispatchQueue.concurrentPerform(iterations: parts) { part in
                MatrixProduct.setThreads(1)
                shared(part)
            }
        }
    }
}
