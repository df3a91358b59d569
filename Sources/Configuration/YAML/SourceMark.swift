/// A place in the file, as libyaml counts: characters (Unicode scalars), from 0.
struct SourceMark: Sendable, Equatable, Comparable {
    var line: Int
    var column: Int

    static func < (left: SourceMark, right: SourceMark) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// From a place to the one behind its last character.
struct SourceSpan: Sendable, Equatable {
    var start: SourceMark
    var end: SourceMark

    /// The start of the file; also the place of values that aren't in it.
    static let none = SourceSpan(start: SourceMark(line: 0, column: 0), end: SourceMark(line: 0, column: 0))
}
