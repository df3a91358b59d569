/// What the reader knows of one file. Only the reader's thread touches it.
final class TrackedFile {
    /// Whether the file may still grow by itself.
    enum Growth {
        /// It may: only whole lines are handed out, and its end is never reached.
        case growing
        /// It may until this time of the clock, in nanoseconds, unless its writer closes it before.
        case settling(until: UInt64)
        /// It doesn't, as far as can be known: it is read to its end, and what follows the last LF is a line.
        case settled
    }

    let identity: FileIdentity
    let node: FileStatus.Node
    let born: Int64
    /// nil once it has no name in the directory any more; `lastPath` is the one it had.
    var path: String? {
        didSet { if let path { lastPath = path } }
    }
    private(set) var lastPath: String
    /// Other names in the directory that lead to it: hard and symbolic links.
    var otherNames: [String] = []
    /// Where the symbolic link led by which it was met: there it can be opened when the link leads elsewhere.
    var target: String?
    /// The name under which it was met.
    let followedAs: String
    var growth = Growth.growing
    /// nil until the file has been looked into.
    var packing: Packing?
    /// Known as soon as `packing` is.
    var unit = CodeUnit.byte
    var unpacker: Unpacker?
    /// How much of what the unpacker gives was handed out before.
    var toSkip: UInt64 = 0

    /// Whether it is an archive that ended within a line of which a dead letter tells already.
    var isTorn = false
    /// The size at whose end an earlier run was, with lines before it left unanswered; nil if there was none.
    private(set) var toldSize: UInt64?

    /// How far it has been handed out, in bytes (unpacked), and where the line starts that this offset is in.
    var offset: UInt64 = 0
    var lineStart: UInt64 = 0
    /// The number of that line, from 1.
    var line: UInt64 = 1
    /// Up to where no LF was found behind `offset`.
    var scanned: UInt64 = 0
    /// A whole line ends here; more than `offset` while a line is handed out that a block can't hold.
    var wholeUpTo: UInt64 = 0
    /// The bytes around `offset`, and around `lineStart`; not kept for archives, nor while the file isn't open.
    var fingerprint: FileMark?
    private(set) var lineFingerprint: FileMark?
    /// The mark of what was handed out.
    var mark: UInt64 = 0

    /// Whether a hole is being passed over, and whether that was said.
    var isInHole = false
    var isHoleReported = false

    /// The size and times when the reader last looked into it.
    var size: UInt64 = 0
    var modified: Int64 = 0
    var changed: Int64 = 0

    /// Whether the end was handed out at `offset`.
    var isFinished = false
    /// Whether reading starts where it ended when it was found, and that has not been told yet.
    var startsAtEnd = false
    /// Whether this run answers for it: its end is cleared away by the committer, not by the reader.
    var isAnswered = false
    /// Whether it can't be read, or is no file for this source: until its content or its permissions change.
    var isBlocked = false
    /// How often in a row a system call failed on it.
    var failures = 0
    /// How often in a row it was without a name while one might not have been looked at.
    var doubts = 0
    /// How often it couldn't be moved or deleted.
    var disposals = 0
    /// Whether it waits for its turn.
    var isQueued = false
    /// Whether the ledger has an entry for it.
    var isEntered = false

    /// What an earlier run kept, until it is compared with the file.
    var checkpoint: FileCheckpoint?
    /// The lines that the earlier run passed over, and how far it had got.
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

    /// Whether all that it held when it was last looked into has been read, and its end isn't due.
    var hasNothingLeft: Bool {
        !isSettled && !startsAtEnd && scanned == size && (checkpoint?.unanswered.isEmpty ?? true)
    }

    /// Reading goes on at `offset`, where line `line` starts.
    func place(at offset: UInt64, line: UInt64) {
        self.offset = offset
        self.line = line
        lineStart = offset
        scanned = offset
        wholeUpTo = offset
    }

    /// The bytes around `offset` were read.
    func refresh(_ found: FileMark) {
        fingerprint = found
        if offset == lineStart { lineFingerprint = found }
    }

    /// Reading goes on at the start of the line that it is in.
    func goBackToLine() {
        if offset > lineStart {
            fingerprint = lineFingerprint
            if let fingerprint { mark = fingerprint.hash(born: born) }
        }
        place(at: lineStart, line: line)
    }

    /// A hole up to `end` isn't handed out; `found` are the bytes around its end.
    func passHole(to end: UInt64, _ found: FileMark) {
        let (scanned, whole) = (scanned, wholeUpTo)
        place(at: end, line: line)
        self.scanned = max(scanned, end)
        wholeUpTo = max(whole, end)
        refresh(found)
        mark = found.hash(born: born)
        isInHole = true
    }

    /// So many more bytes have been handed out.
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

    /// What follows `offset` isn't what it was.
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
