import Streams

/// Hands a lane's finished jobs to its output, in order.
struct LaneWriter {
    let lane: CascadeLane
    let board: CascadeBoard

    /// Delivers until all is delivered or nobody takes it; in the latter case the lane is abandoned.
    func run() {
        while let job = board.takeFinished(of: lane) {
            guard lane.output.deliver(job) else {
                board.abandon(lane)
                // The reader may still wait for bytes that nobody would take.
                lane.source.interrupt()
                return
            }
            board.recycle(job)
        }
    }
}
