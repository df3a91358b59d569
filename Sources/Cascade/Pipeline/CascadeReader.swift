import Diagnostics
import Streams

/// Reads the source into chunks, frames the lines and puts their records on the board.
struct CascadeReader {
    let source: any ByteSource
    let board: CascadeBoard
    let chunks: ChunkPool
    let maximumLineBytes: Int

    /// Records handed over at once: enough to take the lock seldom, few enough for workers to start early.
    private static let recordsAtOnce = 1024
    /// A read into less room than this isn't worth its system call; a pipe holds 64 KiB.
    private static let minimumRoom = 65_536

    struct Ending {
        var reason: CascadeOutcome.Ending
        /// Bytes read of a line whose end was never seen because reading was stopped.
        var unfinishedBytes: UInt64 = 0
        var failure: UnderstudyError?
    }

    /// Returns when there is nothing more to read, or nobody to read for.
    func run() -> Ending {
        var framer = LineFramer(maximumLineBytes: maximumLineBytes)
        let ending = readAll(&framer)
        board.endInput()
        return ending
    }

    private func readAll(_ framer: inout LineFramer) -> Ending {
        let room = min(Self.minimumRoom, chunks.chunkBytes / 4)
        var records: [Record] = []
        records.reserveCapacity(Self.recordsAtOnce)
        guard var chunk = board.acquireChunk() else { return Ending(reason: .stopped) }
        defer { board.releaseChunk(chunk, uses: 1) }
        var used = 0
        while true {
            if chunks.chunkBytes - used < room {
                guard let fresh = board.acquireChunk() else { return Ending(reason: .stopped) }
                let kept = used - framer.unfinishedStart
                chunks.base(fresh).update(from: chunks.base(chunk) + framer.unfinishedStart, count: kept)
                framer.relocate()
                board.releaseChunk(chunk, uses: 1)
                chunk = fresh
                used = kept
            }
            let base = chunks.base(chunk)
            let outcome: ReadOutcome
            do throws(UnderstudyError) {
                outcome = try source.read(
                    into: UnsafeMutableRawBufferPointer(start: base + used, count: chunks.chunkBytes - used))
            } catch {
                return Ending(reason: .stopped, unfinishedBytes: framer.unfinishedBytes(upTo: used), failure: error)
            }
            switch outcome {
            case .bytes(let count):
                used += count
                var hasMore = true
                while hasMore {
                    records.removeAll(keepingCapacity: true)
                    hasMore = framer.frame(base, upTo: used, chunk: chunk, into: &records, limit: Self.recordsAtOnce)
                    guard records.isEmpty || board.push(records) else { return Ending(reason: .stopped) }
                }
            case .end:
                if let last = framer.finish(base, upTo: used, chunk: chunk) { _ = board.push([last]) }
                return Ending(reason: .endOfInput)
            case .stopped:
                return Ending(reason: .stopped, unfinishedBytes: framer.unfinishedBytes(upTo: used))
            }
        }
    }
}
