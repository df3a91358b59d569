import Cascade
import Configuration
import Diagnostics
import Models

/// Whether a student can serve with some settings: the questions that the daemon asks before a student answers, asked
/// before a link is flipped.
public enum ServingCheck {
    /// Loads the student and what it would serve with, compares labels, and runs some lines. `report` is told of a teacher
    /// that can't be loaded, where the settings let the student answer in its place.
    ///
    /// Errors: what loading throws; `invalidData` where its labels aren't the teacher's; `configuration` where no threshold
    /// can be had, or a sink asks for a label that it doesn't have.
    public static func run(
        student: ModelSettings.Model, _ settings: Settings, supply: ModelSupply,
        report: (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        let set = try ModelSet.load(settings, student: student, supply: supply)
        try set.check(settings, report: report)
    }
}

extension ModelSet {
    /// Runs some lines and compares labels with the sinks' filters.
    func check(_ settings: Settings, report: (UnderstudyError) -> Void) throws(UnderstudyError) {
        try ReloadPlan.checkLabels(of: settings, models.student.labels)
        try warm(teacherMayFail: settings.cascade.whenTeacherFull == .answerWithStudent, report: report)
    }

    /// The models that a daemon begins with. Where the registry's `current` leads to a student that can't serve, the one
    /// before serves in its place, or else the one that the configuration names: the daemon comes up, and says so.
    ///
    /// Throws what is wrong with the student that should serve, where no other can.
    static func begin(
        _ settings: Settings, supply: ModelSupply, shadowFailed: (UnderstudyError) -> Void,
        teacherFailed: (UnderstudyError) -> Void
    ) throws(UnderstudyError) -> (set: ModelSet, refused: UnderstudyError?) {
        func attempt(_ student: ModelSettings.Model?) throws(UnderstudyError) -> ModelSet {
            let set = try load(settings, student: student, supply: supply, shadowFailed: shadowFailed)
            try set.check(settings, report: teacherFailed)
            return set
        }
        do throws(UnderstudyError) {
            return (try attempt(nil), nil)
        } catch {
            for student in settings.studentsInPlaceOfCurrent {
                if let set = try? attempt(student) { return (set, error) }
            }
            throw error
        }
    }
}
