import CKernels
import Dispatch
import Glibc
import Synchronization

/// One forward pass whose steps several threads share: for a lone line, where waking threads at each product would take
/// as long as the product.
///
/// One thread, the leader, runs the pass; the others spin until a step has parts for them and end with the pass. A part
/// is claimed before it is computed, and the leader waits only for claimed parts: if the other threads have no core,
/// the leader computes everything.
///
/// `@unchecked Sendable`: `body` is written by the leader while no part is claimable or claimed, and read only by a
/// thread that has claimed a part, after the atomic write of `step` that made it claimable.
final class SharedPass: @unchecked Sendable {
    /// The step's number in the upper half; then 16 bits with the next part to claim, 16 bits with the number of parts.
    private let step = Atomic<UInt64>(0)
    private let completed = Atomic<Int>(0)
    private let isOver = Atomic<Bool>(false)
    private var body: ((Int) -> Void)?

    /// Attempts before a waiting thread gives its core to others.
    private static let spins = 4096
    private static let maximumParts = 0xFFFF

    /// Runs `pass` on this thread or another, with `threads` − 1 others that help.
    func run(threads: Int, _ pass: () -> Void) {
        isOver.store(false, ordering: .relaxed)
        withoutActuallyEscaping(pass) { pass in
            nonisolated(unsafe) let pass = pass
            DispatchQueue.concurrentPerform(iterations: threads) { worker in
                if worker == 0 {
                    pass()
                    isOver.store(true, ordering: .releasing)
                } else {
                    help()
                }
            }
        }
    }

    /// Within a pass: calls `body` with 0 ..< `parts`, each once, on any of its threads.
    func perform(_ parts: Int, _ body: (Int) -> Void) {
        precondition(parts <= Self.maximumParts, "a step has at most \(Self.maximumParts) parts")
        guard parts > 0 else { return }
        withoutActuallyEscaping(body) { body in
            self.body = body
            completed.store(0, ordering: .relaxed)
            let number = (step.load(ordering: .relaxed) >> 32) &+ 1
            step.store(number << 32 | UInt64(parts), ordering: .releasing)
            while claimAndCompute() {}
            var attempts = 0
            while completed.load(ordering: .acquiring) < parts { Self.pause(&attempts) }
            self.body = nil
        }
    }

    /// Computes one part, if one is left.
    private func claimAndCompute() -> Bool {
        var seen = step.load(ordering: .acquiring)
        while true {
            let (next, parts) = (seen >> 16 & 0xFFFF, seen & 0xFFFF)
            guard next < parts else { return false }
            let (exchanged, original) = step.weakCompareExchange(
                expected: seen, desired: seen &+ 1 << 16, ordering: .acquiringAndReleasing)
            if exchanged {
                body?(Int(next))
                completed.add(1, ordering: .releasing)
                return true
            }
            seen = original
        }
    }

    private func help() {
        var attempts = 0
        while !isOver.load(ordering: .acquiring) {
            if claimAndCompute() { attempts = 0 } else { Self.pause(&attempts) }
        }
    }

    private static func pause(_ attempts: inout Int) {
        attempts += 1
        if attempts % spins == 0 { sched_yield() } else { us_relax() }
    }
}
