/// When the records of a queue were read. Guarded by the board's lock.
///
/// One entry for each push, at most `capacity`: when they are more, the newest covers several pushes.
struct ReadTimes: Sendable {
    private static let capacity = 256
    private var ends = [UInt64](repeating: 0, count: capacity)
    private var times = [UInt64](repeating: 0, count: capacity)
    private var head = 0
    private var count = 0
    private var pushed: UInt64 = 0
    private var popped: UInt64 = 0

    mutating func push(_ records: Int, at time: UInt64) {
        pushed += UInt64(records)
        if count == Self.capacity {
            ends[(head + count - 1) % Self.capacity] = pushed
            return
        }
        let place = (head + count) % Self.capacity
        ends[place] = pushed
        times[place] = time
        count += 1
    }

    /// Takes `records` from the front; when the first of them was read.
    mutating func pop(_ records: Int) -> UInt64 {
        let first = times[head]
        popped += UInt64(records)
        while count > 0, ends[head] <= popped {
            head = (head + 1) % Self.capacity
            count -= 1
        }
        return first
    }
}
