/// How far an origin has been answered.
public struct SourcePosition: Sendable {
    public var origin: SourceOrigin
    /// Where the first line starts that hasn't been taken up yet, in bytes from the file's beginning.
    public var offset: UInt64
    /// That line's number, from 1.
    public var line: UInt64
    /// Whether the origin's end has been reached: nothing more comes of it as it stands.
    public var isFinished: Bool
    /// Where the lines before `offset` start that still wait for their answer, sorted; none for ordered sources.
    public var unanswered: [UInt64]

    public init(
        origin: SourceOrigin, offset: UInt64, line: UInt64, isFinished: Bool = false, unanswered: [UInt64] = []
    ) {
        self.origin = origin
        self.offset = offset
        self.line = line
        self.isFinished = isFinished
        self.unanswered = unanswered
    }
}

/// A position as it is kept between runs, with what it takes to know the file again.
public struct FileCheckpoint: Sendable, Equatable {
    public var source: String
    /// Where the file was last seen; it may have been renamed since.
    public var path: String
    public var file: FileIdentity
    public var offset: UInt64
    /// The number of the line that starts at `offset`, from 1.
    public var line: UInt64
    public var isFinished: Bool
    public var unanswered: [UInt64]
    /// A hash of bytes before `offset`: if they differ, it is another file in the same inode.
    public var mark: UInt64
    /// Size in bytes and time of the last change in nanoseconds when the checkpoint was made: while both are the same,
    /// the file needn't be looked into.
    public var size: UInt64
    public var modified: Int64

    public init(
        source: String, path: String, file: FileIdentity, offset: UInt64, line: UInt64, isFinished: Bool,
        unanswered: [UInt64] = [], mark: UInt64, size: UInt64, modified: Int64
    ) {
        self.source = source
        self.path = path
        self.file = file
        self.offset = offset
        self.line = line
        self.isFinished = isFinished
        self.unanswered = unanswered
        self.mark = mark
        self.size = size
        self.modified = modified
    }
}
