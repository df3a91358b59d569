/// The arithmetic of a teacher's dense layers when it classifies. All else is f32 either way.
public enum TeacherPrecision: String, Sendable, CaseIterable {
    /// f32 throughout: the reference.
    case f32
}
