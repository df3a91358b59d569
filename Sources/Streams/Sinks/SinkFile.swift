import CFiles
import Diagnostics
import Glibc

/// One open output file, whose length is known to the byte.
///
/// Appends, cuts and readings of the position are made by one thread at a time; `synchronise` may run beside them. The
/// process must ignore SIGXFSZ, or a limit on file sizes ends it.
///
/// Other programs may append to the file and truncate it. O_APPEND puts each append behind what is there, and the
/// descriptor's offset says afterwards where that was, so the daemon's own bytes are always known; no other bytes are
/// cut. What is left is the moment between a look at the size and a cut.
public final class SinkFile: Sendable {
    /// Where a file ends, and how to know it again.
    public struct Position: Sendable {
        public var length: UInt64
        /// As in `SinkLength`.
        public var mark: UInt64
        /// The file has no name any more: nothing that is written to it can be read by others.
        public var isDeleted: Bool
    }

    /// The daemon's own bytes since the last commit.
    struct Extent: Sendable {
        var start: UInt64
        var count: Int
        var hash: UInt64
        var end: UInt64 { start + UInt64(count) }
    }

    struct State: Sendable {
        var length: UInt64
        /// What the last commit says.
        var committed: UInt64
        /// Where the daemon's own bytes end in the file; behind `length` as long as they haven't been taken back.
        var end: UInt64
        /// Of the bytes before `length`; nil where it must be read again.
        var mark: FileMark?
        /// Whether the byte before `length` is a newline; nil where it must be read.
        var endsLine: Bool?
        var extents: [Extent] = []
        /// The file may be longer than `length`: a cut has failed.
        var mustCut = false
        /// Others may have changed the file since its size was last looked at.
        var mustLook = false
        /// There was no room to force the data to the disk: the kernel has let it go, so it must be written again.
        var mustRewrite = false
        var isDeleted = false
        /// Data may have been lost between memory and disk; nothing that is written here later can undo that.
        var failure: UnderstudyError?
    }

    public let sink: String
    /// Where the file was when it was opened; it may have been renamed since.
    public let path: String
    public let device: UInt64
    public let inode: UInt64
    /// When it was made, in nanoseconds since 1970; 0 where that isn't known.
    public let born: Int64
    let descriptor: Int32
    let keeping: SinkKeeping
    let calls: SinkCalls
    private let syncs: Bool
    let report: @Sendable (UnderstudyError) -> Void
    private let state: Monitor<State>

    /// Takes over `descriptor`, which was opened to append.
    init(
        sink: String, path: String, descriptor: Int32, status: understudy_status, syncs: Bool, keeping: SinkKeeping,
        calls: SinkCalls, report: @escaping @Sendable (UnderstudyError) -> Void
    ) {
        self.sink = sink
        self.path = path
        device = status.device
        inode = status.inode
        born = status.born
        self.descriptor = descriptor
        self.syncs = syncs
        self.keeping = keeping
        self.calls = calls
        self.report = report
        state = Monitor(State(length: status.size, committed: status.size, end: status.size))
    }

    deinit {
        state.withLock { state in
            // The last chance: a file that is opened later has its size for its length.
            if state.mustCut { _ = cutBack(&state) }
        }
        FileLock.release(closing: descriptor)
    }

    /// Bytes that are in the file and accounted for.
    ///
    /// Smaller than before when another program has truncated the file (logrotate's `copytruncate`); that is looked for
    /// once after each `synchronise`.
    public var length: UInt64 {
        state.withLock { state in
            look(&state)
            return state.length
        }
    }

    /// Looks at the file now.
    public var position: Position {
        state.withLock { state in
            state.mustLook = true
            look(&state)
            if state.mark == nil { state.mark = FileMark(of: descriptor, upTo: state.length) }
            return Position(length: state.length, mark: state.mark?.hash(born: 0) ?? 0, isDeleted: state.isDeleted)
        }
    }

    /// Whether `synchronise` will always fail.
    public var hasFailed: Bool { state.withLock { $0.failure != nil } }

    /// Whether bytes that were taken back are in the file still, after one more attempt to cut them off.
    var isUncut: Bool { state.withLock { $0.mustCut && cutBack(&$0) != nil } }

    /// Whether a look since the last `synchronise` has found the file without a name.
    var isDeleted: Bool { state.withLock { $0.isDeleted } }

    /// Everything up to `length` is committed.
    public func committed(_ length: UInt64) {
        state.withLock { state in
            state.committed = min(length, state.length)
            state.extents.removeAll { $0.end <= length }
        }
    }

    /// Appends all of `bytes`, whole records, or nothing: after an error the file is as long as before. Where the file
    /// doesn't end with a newline, because another program has left it so, one comes first.
    ///
    /// Errors: `inputOutput`; `noSpace`, after which a later append may go well.
    public func append(_ bytes: UnsafeBufferPointer<UInt8>) throws(UnderstudyError) {
        guard bytes.count > 0 else { return }
        let failure = state.withLock { state -> UnderstudyError? in
            look(&state)
            if state.mustCut, let number = cutBack(&state) { return Self.failure("written to", number, path) }
            // Another program may get in between once; one that does so again and again gets its way.
            var tries = 0
            while true {
                tries += 1
                let outcome: Placing
                if endsLine(&state) {
                    outcome = place(bytes, &state, mayTryAgain: tries < 3)
                } else {
                    let joined = [UInt8(ascii: "\n")] + bytes
                    outcome = joined.withUnsafeBufferPointer { place($0, &state, mayTryAgain: tries < 3) }
                }
                switch outcome {
                case .done: return nil
                case .again: continue
                case .failed(let number): return Self.failure("written to", number, path)
                }
            }
        }
        if let failure { throw failure }
    }

    /// Takes back what is behind `length`, which was read before it was appended. Never makes the file longer.
    ///
    /// Errors: `inputOutput`. The length is the given one even then: what is left behind it is cut off before the next
    /// append.
    public func cut(to length: UInt64) throws(UnderstudyError) {
        let failure = state.withLock { state -> UnderstudyError? in
            guard length < state.length || state.mustCut else { return nil }
            if length < state.length { takeBack(&state, to: length) }
            state.mustCut = true
            return cutBack(&state).map { Self.failure("cut back", $0, path) }
        }
        if let failure { throw failure }
    }

    /// Returns when what has been appended so far is on the disk; at once for a sink that doesn't synchronise.
    ///
    /// Errors: `noSpace`: the next call writes the data again, so it may go well. `inputOutput`: from then on it always
    /// fails, since Linux forgets what it couldn't write, so that the next attempt would seem to go well. A new start,
    /// which cuts the file back to what was committed, undoes that.
    public func synchronise() throws(UnderstudyError) {
        if syncs {
            let before = state.withLock { state -> UnderstudyError? in
                if state.failure == nil, state.mustRewrite { rewrite(&state) }
                if let failure = state.failure { return failure }
                return state.mustRewrite ? Self.failure("forced to the disk", ENOSPC, path) : nil
            }
            if let before { throw before }
            var number: Int32
            repeat { number = calls.synchronise(descriptor) } while number == EINTR
            if number != 0 {
                let failure = Self.failure("forced to the disk", number, path)
                state.withLock { state in
                    if number == ENOSPC || number == EDQUOT {
                        state.mustRewrite = true
                    } else {
                        state.failure = failure
                    }
                }
                throw failure
            }
        }
        state.withLock { $0.mustLook = true }
    }

    /// Appends what isn't committed here to `other`; nothing of it after an error. Gives the number of bytes.
    ///
    /// Errors: those of `append`; `inputOutput` where the bytes can't be read.
    func copyUncommitted(to other: SinkFile) throws(UnderstudyError) -> Int {
        let pieces = state.withLock { state in
            state.extents.filter { $0.start >= state.committed }.map { ownBytes($0) }
        }
        let before = other.length
        var count = 0
        do throws(UnderstudyError) {
            for piece in pieces {
                guard let piece else {
                    throw UnderstudyError(
                        .inputOutput, "the file was deleted, and what wasn't committed of it can't be read", at: path)
                }
                try piece.withUnsafeBufferPointer { bytes throws(UnderstudyError) in try other.append(bytes) }
                count += piece.count
            }
        } catch {
            try? other.cut(to: before)
            throw error
        }
        return count
    }

    /// An error of the file that can't be `what`.
    static func failure(_ what: String, _ number: Int32, _ path: String) -> UnderstudyError {
        let space = "the file can't be \(what): no space left"
        return switch number {
        case ENOSPC: UnderstudyError(.noSpace, "\(space) on its device", at: path)
        case EDQUOT: UnderstudyError(.noSpace, "\(space) in the quota of its owner", at: path)
        case EFBIG: UnderstudyError(.noSpace, "\(space) below the limit on file sizes", at: path)
        default:
            UnderstudyError(.inputOutput, "the file can't be \(what): \(String(cString: strerror(number)))", at: path)
        }
    }
}
