import Diagnostics
import Streams

/// One source in the cascade.
///
/// `@unchecked Sendable`: the constants never change; `queue` is accessed only under the board's lock.
public final class CascadeLane: @unchecked Sendable {
    public let options: LaneOptions
    public let output: any LaneOutput
    let routing: any AnswerRouting
    let source: any StreamSource
    let chunks: ChunkPool
    /// The lane's index on the board, which also selects the conditions that its threads wait for.
    let slot: Int
    var queue: LaneQueue

    init(
        slot: Int, options: LaneOptions, sizes: CascadeOptions, source: any StreamSource, output: any LaneOutput,
        routing: any AnswerRouting, routes: AnswerRoutes
    ) {
        self.slot = slot
        self.options = options
        self.source = source
        self.output = output
        self.routing = routing
        // An unfinished line takes at most a quarter of a chunk, so that moving it is cheap.
        let unfinished = LineFramer(maximumLineBytes: options.maximumLineBytes).greatestUnfinished
        chunks = ChunkPool(count: sizes.chunks, chunkBytes: max(sizes.chunkBytes, 4 * unfinished))
        queue = LaneQueue(sizes, isOrdered: options.isOrdered, routes: routes)
    }
}

/// The open lanes, by slot. Guarded by the board's lock.
struct LaneTable: Sendable {
    /// Maximum number of lanes. Each takes a few megabytes.
    static let mostLanes = 256

    private var slots: [CascadeLane?] = []
    /// The slot to serve first. It rotates, so that all lanes are served.
    private var turn = 0

    var open: [CascadeLane] { slots.compactMap { $0 } }

    /// Adds the lane that `make` returns for a free slot. Returns nil if there is none.
    mutating func add(_ make: (Int) -> CascadeLane) -> CascadeLane? {
        let free = slots.firstIndex { $0 == nil } ?? slots.count
        guard free < Self.mostLanes else { return nil }
        let lane = make(free)
        if free == slots.count { slots.append(lane) } else { slots[free] = lane }
        return lane
    }

    mutating func remove(_ lane: CascadeLane) { slots[lane.slot] = nil }

    /// Returns the next lane with lines and a free job, in turn.
    mutating func next() -> CascadeLane? {
        for step in 0..<slots.count {
            let slot = (turn + step) % slots.count
            guard let lane = slots[slot], lane.queue.hasWork else { continue }
            turn = slot + 1
            return lane
        }
        return nil
    }

    func contains(_ isWanted: (LaneQueue) -> Bool) -> Bool {
        slots.contains { lane in lane.map { isWanted($0.queue) } ?? false }
    }
}
