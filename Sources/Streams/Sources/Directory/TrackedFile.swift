/// The reader's state of one file. Only the reader's thread uses it.
final class TrackedFile {
    /// Whether the file may still grow.
    enum Growth {
        /// It may grow: only whole lines are handed out, and its end is never reached.
        case growing
        /// It may grow until this time of the clock, in nanoseconds, unless its writer closes it earlier.
        case settling(until: UInt64)
        /// It is not expected to grow: it is read to its end, and the bytes after the last LF are a line.
        case settled
    }

    let identity: FileIdentity
    let node: FileStatus.Node
    let born: Int64
    /// nil once it no longer has a name in the directory; `lastPath` is the last one.
    var path: String? {
        didSet { if let path { lastPath = path } }
    }
    private(set) var lastPath: String
    /// Other names in the directory that lead to it: hard and symbolic links.
    var otherNames: [String] = []
    /// The target of the symbolic link by which it was found: it can be opened there when the link changes.
    var target: String?
    /// The name under which it was found.
    let followedAs: String
    var growth = Growth.growing
    /// nil until the file has been opened.
    var packing: Packing?
    /// Known together with `packing`.
    var unit = CodeUnit.byte
    var unpacker: Unpacker?
    /// How many of the unpacked bytes were handed out before.
    var toSkip: UInt64 = 0

    /// Whether it is an archive that ended within a line that is a dead letter already.
    var isTorn = false
    /// The file's size when an earlier run had reached its end with unanswered lines before it; nil otherwise.
    private(set) var toldSize: UInt64?

    /// The offset up to which it has been handed out, in (unpacked) bytes, and the start of the line that contains this
    /// offset.
    var offset: UInt64 = 0
    var lineStart: UInt64 = 0
    /// The number of that line, from 1.
    var line: UInt64 = 1
    /// The offset up to which no LF was found behind `offset`.
    var scanned: UInt64 = 0
    /// The end of a whole line; more than `offset` while a line that doesn't fit in a block is handed out.
    var wholeUpTo: UInt64 = 0
    /// The bytes around `offset`, and around `lineStart`; not kept for archives, nor while the file is closed.
    var fingerprint: FileMark?
    private(set) var lineFingerprint: FileMark?
    /// The mark of the bytes handed out.
    var mark: UInt64 = 0

    /// Whether a hole is being skipped, and whether that was reported.
    var isInHole = false
    var isHoleReported = false

    /// The size and times when the reader last examined it.
    var size: UInt64 = 0
    var modified: Int64 = 0
    var changed: Int64 = 0

    /// Whether the end was handed out at `offset`.
    var isFinished = false
    /// Whether reading starts at the end that the file had when it was found, and that hasn't been announced yet.
    var startsAtEnd = false
    /// Whether this run answers its lines: then the committer clears it away, not the reader.
    var isAnswered = false
    /// Whether it can't be read, or isn't for this source, until its content or its permissions change.
    var isBlocked = false
    /// The number of consecutive failed system calls on it.
    var failures = 0
    /// The number of consecutive times it had no name while a name might not have been examined.
    var doubts = 0
    /// The number of failed attempts to move or delete it.
    var disposals = 0
    /// Whether it is in the queue of turns; `TurnSchedule` sets it.
    var isQueued = false
    /// Whether the ledger has an entry for it.
    var isEntered = false

    /// The checkpoint of an earlier run, until it is compared with the file.
    var checkpoint: FileCheckpoint?
    /// The lines that the earlier run skipped, and the offset that it had reached.
    var unanswered: [UInt64] = []
    var resumed: UInt64 = 0
    var resumedLine: UInt64 = 1

    init(
        identity: FileIdentity, path: String, followedAs: String? = nil, status: FileStatus,
        checkpoint: FileCheckpoint? = nil
    ) {
        self.identity = identity
        node = status.node
        born = status.born
        self.path = path
        lastPath = path
        self.followedAs = followedAs ?? path
        self.checkpoint = checkpoint
        guard let checkpoint else { return }
        (size, modified) = (checkpoint.size, checkpoint.modified)
        isFinished = checkpoint.isFinished && checkpoint.unanswered.isEmpty
        if checkpoint.isFinished { toldSize = checkpoint.size }
        unanswered = checkpoint.unanswered
        resumed = checkpoint.offset
        resumedLine = checkpoint.line
        mark = checkpoint.mark
        place(at: checkpoint.offset, line: checkpoint.line)
    }

    var isSettled: Bool { if case .settled = growth { true } else { false } }

    func note(_ status: FileStatus) {
        size = status.size
        modified = status.modified
        changed = status.changed
    }

    /// Whether everything that it held at the last examination has been read, and its end isn't due.
    var hasNothingLeft: Bool {
        !isSettled && !startsAtEnd && scanned == size && (checkpoint?.unanswered.isEmpty ?? true)
    }

    /// Whether the content that was read of it is unchanged. `status` is that of the open file.
    func isSame(_ open: OpenFile, _ status: FileStatus) throws(CannotTell) -> Bool {
        // Nothing has been read yet.
        if checkpoint == nil, !isEntered { return true }
        guard born == status.born else { return false }
        guard packing == .plain else {
            // The archive may have grown by further gzip members or zstd frames.
            for born in [born, 0] {
                if try FileMark.ofArchive(open, size: size, born: born) == mark { return true }
            }
            return false
        }
        guard let found = try unchanged(open, status) else { return false }
        refresh(found)
        return true
    }

    /// The bytes around `offset` of a plain file; nil if they have changed.
    func unchanged(_ open: OpenFile, _ status: FileStatus) throws(CannotTell) -> FileMark? {
        guard status.size >= offset, let found = try FileMark(open, upTo: offset), found.matches(mark, born: born)
        else { return nil }
        return found
    }

    /// Continues reading at `offset`, where line `line` starts.
    func place(at offset: UInt64, line: UInt64) {
        self.offset = offset
        self.line = line
        lineStart = offset
        scanned = offset
        wholeUpTo = offset
    }

    /// Sets the bytes around `offset`.
    func refresh(_ found: FileMark) {
        fingerprint = found
        if offset == lineStart { lineFingerprint = found }
    }

    /// Continues reading at the start of the current line.
    func goBackToLine() {
        if offset > lineStart {
            fingerprint = lineFingerprint
            if let fingerprint { mark = fingerprint.hash(born: born) }
        }
        place(at: lineStart, line: line)
    }

    /// Reading failed: continues at the start of the current line, or where the bytes of an archive end that were being
    /// skipped because they were handed out before.
    func goBackAfterFailure() {
        unpacker = nil
        guard toSkip > 0 else { return goBackToLine() }
        place(at: offset + toSkip, line: line)
        toSkip = 0
    }

    /// Skips a hole up to `end`; `found` are the bytes around its end.
    func passHole(to end: UInt64, _ found: FileMark) {
        let (scanned, whole) = (scanned, wholeUpTo)
        place(at: end, line: line)
        self.scanned = max(scanned, end)
        wholeUpTo = max(whole, end)
        refresh(found)
        mark = found.hash(born: born)
        isInHole = true
    }

    /// Notes that `block` has been handed out.
    func advance(over block: UnsafeRawBufferPointer) {
        let whole = LineFeeds.endOfLast(block, unit, at: offset)
        if whole > 0 {
            line += UInt64(LineFeeds.count(block, unit, at: offset))
            lineStart = offset + UInt64(whole)
        }
        if fingerprint != nil {
            if whole > 0 {
                fingerprint?.append(UnsafeRawBufferPointer(rebasing: block[..<whole]))
                lineFingerprint = fingerprint
            }
            if whole < block.count { fingerprint?.append(UnsafeRawBufferPointer(rebasing: block[whole...])) }
        }
        offset += UInt64(block.count)
        scanned = max(scanned, offset)
        wholeUpTo = max(wholeUpTo, lineStart)
    }

    /// The bytes behind `offset` have changed.
    func forgetUnfinishedLine() {
        scanned = offset
        wholeUpTo = offset
    }

    func origin(of source: String) -> SourceOrigin {
        let open = unanswered.drop { $0 < offset }
        return SourceOrigin(
            source: source, path: lastPath, file: identity, start: offset, firstLine: line,
            unanswered: Array(open), resumed: max(resumed, offset), resumedLine: max(resumedLine, line),
            unit: unit)
    }
}
