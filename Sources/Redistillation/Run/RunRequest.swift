import Configuration

/// What a run is asked to do.
public struct RunRequest: Sendable {
    public var settings: Settings
    public var redistill: RedistillSettings
    /// Do all but promote.
    public var isDryRun: Bool
    /// The student that serves now, links resolved.
    public var student: String
    /// The teacher's directory, links resolved.
    public var teacher: String

    public init(
        settings: Settings, redistill: RedistillSettings, isDryRun: Bool, student: String, teacher: String
    ) {
        self.settings = settings
        self.redistill = redistill
        self.isDryRun = isDryRun
        self.student = student
        self.teacher = teacher
    }

    var state: String { settings.state.directory }
    var reports: String { redistill.reports ?? state + "/reports" }
    /// Where a run keeps what isn't published yet. Removed at the start and at the end of each.
    var workplace: String { state + "/redistill.work" }
    /// Logits that the teacher was asked for, kept for the next runs.
    var teacherLogits: String { state + "/teacher-logits" }
    /// The daemon's wish for a run before its time.
    public static func requestFile(state: String) -> String { state + "/redistill.request" }
}
