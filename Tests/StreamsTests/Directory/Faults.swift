import CFiles
import Glibc
import Streams
import TestSupport

/// System calls of a directory source that fail at random, or as a test says.
final class Faults: Sendable {
    private struct State: Sendable {
        var random: SplitMix
        var count = 0
        var isOn = true
    }

    private let state: Monitor<State>
    private let oneIn: Int

    /// One call in `oneIn` fails.
    init(seed: UInt64, oneIn: Int) {
        state = Monitor(State(random: SplitMix(seed: seed ^ 0xFA17)))
        self.oneIn = oneIn
    }

    /// How many calls have failed.
    var count: Int { state.withLock { $0.count } }

    func stop() { state.withLock { $0.isOn = false } }

    /// The errno that this call fails with; nil: it doesn't.
    private func fault(_ numbers: [Int32]) -> Int32? {
        state.withLock { state in
            guard state.isOn, Int.random(in: 0..<oneIn, using: &state.random) == 0 else { return nil }
            state.count += 1
            return numbers.randomElement(using: &state.random)
        }
    }

    private func some(of count: Int) -> Int {
        state.withLock { Int.random(in: 1...count, using: &$0.random) }
    }

    var calls: DirectoryCalls {
        let real = DirectoryCalls()
        var calls = real
        calls.open = { path in
            guard let number = self.fault([EIO, ENOMEM, EINTR, ETIMEDOUT]) else {
                return real.open(path)
            }
            errno = number
            return -1
        }
        calls.read = { descriptor, room, offset in
            switch self.fault([EIO, EINTR, EAGAIN, 0]) {
            case nil: return real.read(descriptor, room, offset)
            case 0?:
                let part = UnsafeMutableRawBufferPointer(rebasing: room[..<self.some(of: max(1, room.count))])
                return real.read(descriptor, part, offset)
            case let number?:
                errno = number
                return -1
            }
        }
        calls.status = { path, follows, status in
            self.fault([EIO, ENOMEM, EINTR, ETIMEDOUT]) ?? real.status(path, follows, &status)
        }
        calls.descriptorStatus = { descriptor, status in
            self.fault([EIO, ENOMEM]) ?? real.descriptorStatus(descriptor, &status)
        }
        calls.list = { directory, body in
            guard let number = self.fault([EIO, ENOMEM]) else { return real.list(directory, body) }
            // Some of the names come all the same.
            var left = self.some(of: 4)
            _ = real.list(directory) { name in
                left -= 1
                if left > 0 { body(name) }
            }
            return number
        }
        calls.add = { descriptor, path, mask in
            guard let number = self.fault([EIO, EINTR]) else { return real.add(descriptor, path, mask) }
            errno = number
            return -1
        }
        calls.events = { descriptor, room in
            guard let number = self.fault([EIO, EINTR]) else { return real.events(descriptor, room) }
            errno = number
            return -1
        }
        return calls
    }
}

/// Makes one call fail once, or some times in a row.
final class OneFault: Sendable {
    private let left: Monitor<(skipped: Int, failing: Int)>

    /// The call after `skipped` others fails, and the ones after it until `failing` have.
    init(after skipped: Int = 0, failing: Int = 1) { left = Monitor((skipped, failing)) }

    /// Whether the present call is to fail.
    func hits() -> Bool {
        left.withLock { left in
            if left.skipped > 0 {
                left.skipped -= 1
                return false
            }
            guard left.failing > 0 else { return false }
            left.failing -= 1
            return true
        }
    }

    func fail(_ times: Int) { left.withLock { $0 = (0, times) } }
    var isUsedUp: Bool { left.withLock { $0.failing == 0 } }
}
