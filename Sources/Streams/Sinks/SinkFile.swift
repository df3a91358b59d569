import Diagnostics
import Glibc

/// One open output file, whose length is known to the byte.
///
/// Appends, cuts and readings of `length` are made by one thread at a time; `synchronise` may run beside them. The
/// process must ignore SIGXFSZ, or a limit on file sizes ends it.
public final class SinkFile: Sendable {
    private struct State: Sendable {
        var length: UInt64
        /// The file may be longer than `length`: a cut has failed.
        var mustCut = false
        /// Somebody else may have changed the file since its size was last looked at.
        var mustLook = false
        /// Data may have been lost between memory and disk; nothing that is written here later can mend that.
        var failure: UnderstudyError?
    }

    public let sink: String
    /// Where the file was when it was opened; it may have been renamed since.
    public let path: String
    public let device: UInt64
    public let inode: UInt64
    private let descriptor: Int32
    private let syncs: Bool
    private let report: @Sendable (UnderstudyError) -> Void
    private let state: Monitor<State>

    /// Takes over `descriptor`, which was opened to append.
    init(
        sink: String, path: String, descriptor: Int32, status: stat, syncs: Bool,
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) {
        self.sink = sink
        self.path = path
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        self.descriptor = descriptor
        self.syncs = syncs
        self.report = report
        state = Monitor(State(length: UInt64(max(0, status.st_size))))
    }

    deinit {
        state.withLock { state in
            // The last chance: whoever opens the file next takes its size for its length.
            if state.mustCut { _ = cutBack(&state) }
        }
        close(descriptor)
    }

    /// Bytes that stand in the file and are accounted for.
    ///
    /// Smaller than before when somebody else has truncated the file (logrotate's `copytruncate`); that is looked for
    /// once after each `synchronise`.
    public var length: UInt64 {
        state.withLock { state in
            look(&state)
            return state.length
        }
    }

    /// Appends all of `bytes` or nothing: after an error the file is as long as before.
    ///
    /// Errors: `inputOutput`; `noSpace`, after which a later append may go well.
    public func append(_ bytes: UnsafeBufferPointer<UInt8>) throws(UnderstudyError) {
        let failure = state.withLock { state -> UnderstudyError? in
            look(&state)
            if state.mustCut, let number = cutBack(&state) { return Self.failure("written to", number, path) }
            if let number = write(bytes) {
                state.mustCut = true
                _ = cutBack(&state)
                return Self.failure("written to", number, path)
            }
            state.length += UInt64(bytes.count)
            return nil
        }
        if let failure { throw failure }
    }

    /// Takes back what stands behind `length`, which was read before it was appended. Never makes the file longer.
    ///
    /// Errors: `inputOutput`. The length is the given one even then: what is left behind it is cut off before the next
    /// append.
    public func cut(to length: UInt64) throws(UnderstudyError) {
        let failure = state.withLock { state -> UnderstudyError? in
            guard length < state.length || state.mustCut else { return nil }
            state.length = min(state.length, length)
            state.mustCut = true
            return cutBack(&state).map { Self.failure("cut back", $0, path) }
        }
        if let failure { throw failure }
    }

    /// Returns when what has been appended so far is on the disk; at once for a sink that doesn't synchronise.
    ///
    /// Errors: `inputOutput`. From then on it always fails: Linux forgets what it couldn't write, so that the next
    /// attempt would seem to go well. A new start, which cuts the file back to what was committed, mends it.
    public func synchronise() throws(UnderstudyError) {
        if syncs {
            if let failure = state.withLock({ $0.failure }) { throw failure }
            var outcome: Int32
            repeat { outcome = fdatasync(descriptor) } while outcome != 0 && errno == EINTR
            if outcome != 0 {
                let failure = Self.failure("forced to the disk", errno, path)
                state.withLock { $0.failure = failure }
                throw failure
            }
        }
        state.withLock { $0.mustLook = true }
    }

    /// The errno of a write that failed; nil when all is written.
    private func write(_ bytes: UnsafeBufferPointer<UInt8>) -> Int32? {
        guard let base = bytes.baseAddress else { return nil }
        var done = 0
        while done < bytes.count {
            let written = Glibc.write(descriptor, base + done, bytes.count - done)
            if written > 0 {
                done += written
            } else if written == 0 {
                return ENOSPC
            } else if errno != EINTR {
                return errno
            }
        }
        return nil
    }

    private func cutBack(_ state: inout State) -> Int32? {
        var outcome: Int32
        repeat { outcome = ftruncate(descriptor, off_t(state.length)) } while outcome != 0 && errno == EINTR
        guard outcome == 0 else { return errno }
        state.mustCut = false
        return nil
    }

    /// Compares the length with the file's size, if that hasn't been done since the last `synchronise`.
    private func look(_ state: inout State) {
        guard state.mustLook else { return }
        state.mustLook = false
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return }
        let size = UInt64(max(0, status.st_size))
        if size < state.length {
            report(
                UnderstudyError(
                    .inputOutput,
                    "somebody else has truncated the file of sink \(sink) from \(state.length) to \(size) bytes; "
                        + "answers go on from there", at: path))
            state.length = size
            state.mustCut = false
        } else if size > state.length, !state.mustCut {
            report(
                UnderstudyError(
                    .inputOutput,
                    "somebody else has appended \(size - state.length) bytes to the file of sink \(sink); "
                        + "let nothing else write to it", at: path))
            state.length = size
        }
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
