import Streams

/// How far one file of a source has been delivered since the last commit. Pure.
struct FileProgress: Sendable {
    struct Key: Hashable, Sendable {
        var source: String
        var file: FileIdentity
    }

    private(set) var origin: SourceOrigin
    private(set) var offset: UInt64
    private(set) var line: UInt64
    private var hasEnded = false
    /// Where lines before `offset` start that aren't answered; sorted.
    private(set) var unanswered: [UInt64]
    /// Whether there is something that hasn't been cut.
    var isChanged = true

    init(_ origin: SourceOrigin) {
        self.origin = origin
        offset = max(origin.start, origin.resumed)
        line = origin.firstLine
        unanswered = origin.resumed > origin.start ? origin.unanswered : []
    }

    /// Whether the next commit can forget it: whatever comes next says all that is needed.
    var canBeForgotten: Bool { unanswered.isEmpty && origin.resumed <= origin.start }

    var position: SourcePosition {
        SourcePosition(
            origin: origin, offset: offset, line: line, isFinished: hasEnded && unanswered.isEmpty,
            unanswered: unanswered)
    }

    /// The end of some lines has been delivered. `left` are starts of lines before it that are still to come, sorted.
    mutating func advance(_ origin: SourceOrigin, to end: UInt64, line next: UInt64, hasEnded: Bool, left: [UInt64]) {
        self.origin = origin
        offset = max(offset, end)
        line = max(line, next)
        self.hasEnded = hasEnded
        isChanged = true
        guard !left.isEmpty else { return }
        unanswered.append(contentsOf: left)
        unanswered.sort()
    }

    /// A line that starts at `start` has been answered after others behind it.
    mutating func settle(_ start: UInt64) {
        isChanged = true
        if let index = unanswered.firstIndex(of: start) { unanswered.remove(at: index) }
    }
}
