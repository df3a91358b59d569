import Cascade
import Configuration
import Diagnostics
import Glibc
import Logging
import Models

/// The models in use, and the watches of the links that replace them. Used only by the control thread.
final class ServingModels {
    private var current: ModelSet
    private var link: LinkWatch?
    private var shadowLink: LinkWatch?
    private let engine: CascadeEngine
    private let promotionMonitor: PromotionMonitor
    private let daemon: Daemon

    /// `engine` already uses the models of `set`.
    init(_ set: ModelSet, engine: CascadeEngine, promotionMonitor: PromotionMonitor, daemon: Daemon) {
        current = set
        self.engine = engine
        self.promotionMonitor = promotionMonitor
        self.daemon = daemon
        daemon.metrics.setModels(student: set.studentInfo, teacher: set.teacherInfo)
        beginDrift()
    }

    var models: CascadeModels { current.models }

    // MARK: Replacement

    /// Loads and warms up the models for a reload; nil if it doesn't change them. They aren't in use yet.
    func load(_ plan: ReloadPlan, _ new: Settings) throws(UnderstudyError) -> ModelSet? {
        guard plan.modelsChange else { return nil }
        let kept = plan.teacherChanges ? nil : current.models.teacher
        let loaded = try ModelSet.load(new, supply: daemon.surroundings.supply, teacher: kept)
        try loaded.warm(teacherMayFail: new.cascade.whenTeacherFull == .answerWithStudent) {
            daemon.log.report($0, event: .circuitOpened)
        }
        return loaded
    }

    /// Reloads student and shadow if their paths point to other directories. Returns whether the student changed.
    func swap(_ settings: Settings) throws(UnderstudyError) -> Bool {
        let log = daemon.log
        let loaded = try ModelSet.load(
            settings, supply: daemon.surroundings.supply, teacher: current.models.teacher
        ) { log.report($0, what: "shadow not loaded", metadata: ["kept": "the student, without a shadow"]) }
        let isOther = loaded.studentDirectory != current.studentDirectory
        guard isOther || loaded.shadowDirectory != current.shadowDirectory else { return false }
        try ReloadPlan.checkLabels(of: settings, loaded.models.student.labels)
        try loaded.warm(teacherMayFail: true) {
            daemon.log.report($0, level: .warning, what: "teacher not loaded")
        }
        CrashPoint.swapping.pass()
        guard isOther else {
            // The student is the same, so its drift and promotion monitoring continues.
            current = loaded
            engine.replaceModels(loaded.models)
            beginShadow()
            return false
        }
        use(loaded)
        return true
    }

    /// Uses loaded models for all following jobs.
    func use(_ loaded: ModelSet) {
        current = loaded
        daemon.phases.note(refusedStudent: nil)
        engine.replaceModels(loaded.models)
        beginDrift()
        daemon.metrics.recordSwap(student: loaded.studentInfo, teacher: loaded.teacherInfo)
    }

    /// Restarts the drift monitor with the reference of a new student.
    private func beginDrift() {
        let student = current.models.student
        promotionMonitor.drift.begin(
            student: student.version, labels: student.labels, reference: current.lineage?.reference)
        beginShadow()
    }

    private func beginShadow() {
        let shadow = current.models.shadow
        promotionMonitor.shadow.begin(
            shadow: shadow?.classifier.version, share: shadow?.share ?? 0, student: current.models.student.version)
    }

    // MARK: Links

    /// Watches the paths of student and shadow that can change under these settings.
    func watchLinks(_ settings: Settings) {
        watchStudent(settings)
        watchShadow(settings)
    }

    private func watchStudent(_ settings: Settings) {
        link?.stop()
        link = nil
        guard let path = settings.followedStudent else { return }
        if settings.redistill != nil { settings.makeRegistry() }
        let control = daemon.control
        do throws(UnderstudyError) {
            link = try LinkWatch(path: path) { control.noteModels() }
            // It may have changed since the student was loaded.
            if let target = realpath(path, nil) {
                defer { free(target) }
                if String(cString: target) != current.studentDirectory { control.noteModels() }
            }
        } catch {
            daemon.log.report(error, level: .warning, what: "student's link not watched")
        }
    }

    private func watchShadow(_ settings: Settings) {
        shadowLink?.stop()
        shadowLink = nil
        guard let redistill = settings.redistill, redistill.shadow > 0 else { return }
        let control = daemon.control
        let path = StudentRegistry(directory: settings.registryDirectory).shadowLink
        do throws(UnderstudyError) {
            shadowLink = try LinkWatch(path: path) { control.noteModels() }
        } catch {
            daemon.log.report(error, level: .warning, what: "shadow's link not watched")
        }
    }

    /// Ends the watches.
    func stopWatching() {
        link?.stop()
        shadowLink?.stop()
    }
}
