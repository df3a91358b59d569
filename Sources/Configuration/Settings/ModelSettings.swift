/// Which models answer.
public struct ModelSettings: Sendable, Equatable {
    /// Where a model comes from.
    public enum Model: Sendable, Equatable {
        /// The one that was built into the program.
        case embedded
        /// A model directory, or a link to one.
        case directory(String)
    }

    public var student: Model
    /// nil: the student answers alone.
    public var teacher: Model?

    /// What is used when the file doesn't speak of models.
    public static let embeddedPair = ModelSettings(student: .embedded, teacher: .embedded)
}
