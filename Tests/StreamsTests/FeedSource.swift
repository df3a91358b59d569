import Diagnostics
import Streams

/// What a test writes and sources take from; outlives them, as a pipe outlives its readers.
struct Feed: Sendable {
    struct State: Sendable {
        var bytes: [UInt8] = []
        var taken = 0
        var isEnded = false
    }

    let monitor = Monitor(State())

    var taken: Int { monitor.withLock { $0.taken } }

    func put(_ bytes: [UInt8]) {
        monitor.withLock { $0.bytes += bytes }
        monitor.broadcast(0)
    }

    func put(_ text: String) { put(Array(text.utf8)) }

    func end() {
        monitor.withLock { $0.isEnded = true }
        monitor.broadcast(0)
    }
}

/// Takes from a feed in pieces of at most `piece` bytes.
final class FeedSource: StreamSource {
    let name: String
    private let feed: Feed
    private let piece: Int
    private let isInterrupted = Monitor(false)

    init(_ feed: Feed, name: String = "wire", piece: Int = 50) {
        self.feed = feed
        self.name = name
        self.piece = piece
    }

    func interrupt() {
        isInterrupted.withLock { $0 = true }
        feed.monitor.broadcast(0)
    }

    func read(into room: UnsafeMutableRawBufferPointer) throws(UnderstudyError) -> SourceEvent {
        let (room, most) = (UInt(bitPattern: room.baseAddress), room.count)
        return feed.monitor.wait(on: 0) { state in
            if isInterrupted.withLock({ $0 }) { return .stopped }
            let count = min(most, 1 + state.taken * 7 % piece, state.bytes.count - state.taken)
            guard count > 0 else { return state.isEnded ? .end : nil }
            let next = state.bytes[state.taken..<(state.taken + count)]
            UnsafeMutablePointer<UInt8>(bitPattern: room)?.initialize(from: Array(next), count: count)
            state.taken += count
            return .bytes(count)
        }
    }
}
