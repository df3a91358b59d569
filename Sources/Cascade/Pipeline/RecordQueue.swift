import Streams

/// The records that a lane has read ahead of the workers, with their origins and read times. Its capacity is fixed.
package struct RecordQueue: Sendable {
    private var storage: [Record]
    private var head = 0
    package private(set) var count = 0
    private var origins = OriginTable()
    private var times = ReadTimes()

    package init(capacity: Int) {
        storage = Array(
            repeating: Record(offset: 0, number: 0, start: 0, length: 0, chunk: 0), count: max(capacity, 1))
    }

    package var room: Int { storage.count - count }

    /// Returns the slot of an origin that the reader has opened. The reader releases it with `close`.
    package mutating func open(_ origin: SourceOrigin) -> Int32 { origins.open(origin) }

    package mutating func close(_ slot: Int32) { origins.release(slot, uses: 1) }

    /// Appends records of one origin, which were read at `time` and must fit.
    package mutating func push(_ records: ArraySlice<Record>, at time: UInt64) {
        precondition(records.count <= room)
        guard let first = records.first else { return }
        var place = head + count
        for record in records {
            if place >= storage.count { place -= storage.count }
            storage[place] = record
            place += 1
        }
        count += records.count
        origins.hold(first.origin, uses: records.count)
        times.push(records.count, at: time)
    }

    /// Moves records from the front to `taken`, which is empty: at most `lines`, all of one chunk and one origin, and
    /// at most `bytes` of text unless a single line is longer. The queue must not be empty. Returns their origin, and
    /// the time when the first of them was read.
    package mutating func pop(
        lines: Int, bytes: Int, into taken: inout [Record]
    ) -> (origin: SourceOrigin?, readAt: UInt64) {
        var sum = 0
        while taken.count < min(lines, count) {
            let place = head + taken.count
            let record = storage[place < storage.count ? place : place - storage.count]
            if let first = taken.first {
                let isOther = record.chunk != first.chunk || record.origin != first.origin
                if isOther || sum + record.keptLength > bytes { break }
            }
            sum += record.keptLength
            taken.append(record)
        }
        head = (head + taken.count) % storage.count
        count -= taken.count
        let slot = taken[0].origin
        defer { origins.release(slot, uses: taken.count) }
        return (origins[slot], times.pop(taken.count))
    }
}

/// The origins of queued records, by slot. A slot is retained by the reader while it reads the origin, and by each
/// record that hasn't been taken.
private struct OriginTable: Sendable {
    private struct Slot: Sendable {
        var origin: SourceOrigin?
        var uses = 0
    }

    private var slots: [Slot] = []
    private var free: [Int32] = []

    mutating func open(_ origin: SourceOrigin) -> Int32 {
        if let slot = free.popLast() {
            slots[Int(slot)] = Slot(origin: origin, uses: 1)
            return slot
        }
        slots.append(Slot(origin: origin, uses: 1))
        return Int32(slots.count - 1)
    }

    mutating func hold(_ slot: Int32, uses: Int) { slots[Int(slot)].uses += uses }

    mutating func release(_ slot: Int32, uses: Int) {
        slots[Int(slot)].uses -= uses
        if slots[Int(slot)].uses == 0 {
            slots[Int(slot)].origin = nil
            free.append(slot)
        }
    }

    subscript(slot: Int32) -> SourceOrigin? { slots[Int(slot)].origin }
}

/// The read times of queued records: one entry per push, at most `capacity`; beyond that the newest entry covers
/// several pushes.
private struct ReadTimes: Sendable {
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

    /// Removes `records` from the front. Returns the time when the first of them was read.
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
