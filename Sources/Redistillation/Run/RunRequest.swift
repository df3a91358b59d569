import Configuration
import Diagnostics
import Glibc
import Models

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

    /// The version that the registry's `current` leads to at this moment; nil: to none. With a directory, links resolved:
    /// nil as well where it leads to another one.
    func servingVersion(at directory: String? = nil) throws(UnderstudyError) -> String? {
        guard let current = try StudentRegistry(directory: settings.registryDirectory).current() else { return nil }
        guard let directory else { return current.version }
        guard let resolved = realpath(current.directory, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved) == directory ? current.version : nil
    }

    /// The daemon's wish for a run before its time.
    public static func requestFile(state: String) -> String { state + "/redistill.request" }
}
