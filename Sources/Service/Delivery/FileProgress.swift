import Streams

/// The delivered part of one file of a source since the last commit.
package struct FileProgress: Sendable {
    struct Key: Hashable, Sendable {
        var source: String
        var file: FileIdentity
    }

    private(set) var origin: SourceOrigin
    package private(set) var offset: UInt64
    package private(set) var line: UInt64
    private var hasEnded = false
    /// Start offsets of unanswered lines before `offset`, sorted.
    package private(set) var unanswered: [UInt64]
    /// Whether there are changes since the last cut.
    package var isChanged = true

    package init(_ origin: SourceOrigin) {
        self.origin = origin
        offset = max(origin.start, origin.resumed)
        line = max(origin.firstLine, origin.resumedLine)
        unanswered = origin.resumed > origin.start ? origin.unanswered : []
    }

    /// Whether the next commit may drop it, because the next delivery contains all that is needed.
    package var canBeForgotten: Bool { unanswered.isEmpty && origin.resumed <= origin.start }

    package var position: SourcePosition {
        SourcePosition(
            origin: origin, offset: offset, line: line, isFinished: hasEnded && unanswered.isEmpty,
            unanswered: unanswered)
    }

    /// Advances to the end of delivered lines. `left` are the start offsets of earlier lines that are still unanswered,
    /// sorted.
    package mutating func advance(
        _ origin: SourceOrigin, to end: UInt64, line next: UInt64, hasEnded: Bool, left: [UInt64]
    ) {
        self.origin = origin
        offset = max(offset, end)
        line = max(line, next)
        self.hasEnded = hasEnded
        isChanged = true
        // A line left unanswered by an earlier run may be left again.
        for start in left {
            let place = place(of: start)
            if !holds(start, at: place) { unanswered.insert(start, at: place) }
        }
    }

    /// Marks the line at `start` as answered after later lines.
    package mutating func settle(_ start: UInt64) {
        isChanged = true
        let place = place(of: start)
        if holds(start, at: place) { unanswered.remove(at: place) }
    }

    /// Returns the index of the first offset not below `start`.
    private func place(of start: UInt64) -> Int {
        var low = 0
        var high = unanswered.count
        while low < high {
            let middle = (low + high) / 2
            if unanswered[middle] < start { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func holds(_ start: UInt64, at place: Int) -> Bool {
        place < unanswered.count && unanswered[place] == start
    }
}
