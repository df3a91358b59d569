/// What became of the log's rows.
public struct HarvestCounts: Sendable, Equatable {
    public var read = 0
    /// Broken in the database.
    public var damaged = 0
    /// The same text as a newer row, and nearly the same.
    public var duplicates = 0
    public var nearDuplicates = 0
    /// Equal or nearly equal to a line of the holdout: never learnt from.
    public var inHoldout = 0
    /// Lines of the holdout that such a row was found for.
    public var overlappingHoldoutLines = 0
    /// About other labels than the student's.
    public var otherLabels = 0
    /// Too long, empty, or with logits that aren't numbers.
    public var unusable = 0
    /// Judged by a teacher that isn't the present one: it's asked again.
    public var otherTeacher = 0
    public var humanLabels = 0
    public var learnt = 0
    public var heldOut = 0

    public init() {}
}
