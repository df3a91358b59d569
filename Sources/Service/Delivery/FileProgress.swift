import Streams

/// How far one file of a source has been delivered since the last commit. Pure.
package struct FileProgress: Sendable {
    struct Key: Hashable, Sendable {
        var source: String
        var file: FileIdentity
    }

    private(set) var origin: SourceOrigin
    package private(set) var offset: UInt64
    package private(set) var line: UInt64
    private var hasEnded = false
    /// Where lines before `offset` start that aren't answered; sorted.
    package private(set) var unanswered: [UInt64]
    /// Whether there is something that hasn't been cut.
    package var isChanged = true

    package init(_ origin: SourceOrigin) {
        self.origin = origin
        offset = max(origin.start, origin.resumed)
        line = origin.firstLine
        unanswered = origin.resumed > origin.start ? origin.unanswered : []
    }

    /// Whether the next commit can forget it: whatever comes next says all that is needed.
    package var canBeForgotten: Bool { unanswered.isEmpty && origin.resumed <= origin.start }

    package var position: SourcePosition {
        SourcePosition(
            origin: origin, offset: offset, line: line, isFinished: hasEnded && unanswered.isEmpty,
            unanswered: unanswered)
    }

    /// The end of some lines has been delivered. `left` are starts of lines before it that are still to come, sorted.
    package mutating func advance(
        _ origin: SourceOrigin, to end: UInt64, line next: UInt64, hasEnded: Bool, left: [UInt64]
    ) {
        self.origin = origin
        offset = max(offset, end)
        line = max(line, next)
        self.hasEnded = hasEnded
        isChanged = true
        // A line that an earlier run has left may be left once more.
        for start in left {
            let place = place(of: start)
            if !holds(start, at: place) { unanswered.insert(start, at: place) }
        }
    }

    /// A line that starts at `start` has been answered after others behind it.
    package mutating func settle(_ start: UInt64) {
        isChanged = true
        let place = place(of: start)
        if holds(start, at: place) { unanswered.remove(at: place) }
    }

    /// The index of the first that isn't before `start`.
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
