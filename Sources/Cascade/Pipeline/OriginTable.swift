import Streams

/// The origins that a lane's pending records point to, by slot. Guarded by the board's lock.
///
/// A slot is held by the reader while it reads the origin and by each record that hasn't been taken yet.
struct OriginTable: Sendable {
    private struct Slot: Sendable {
        var origin: SourceOrigin?
        var uses = 0
    }

    private var slots: [Slot] = []
    private var free: [Int32] = []

    /// The slot of an origin that the reader has opened.
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
