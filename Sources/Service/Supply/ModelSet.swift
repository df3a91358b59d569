import Cascade
import Configuration
import Diagnostics
import Distillation
import Glibc
import Models
import Streams

/// The configured models and deferral rule, loaded and warmed up.
struct ModelSet: Sendable {
    var models: CascadeModels
    /// The student's directory, links resolved.
    var studentDirectory: String
    /// nil if the student has none.
    var lineage: StudentLineage?
    /// Fingerprint of the student's files; nil if it wasn't computed.
    var studentFingerprint: String?
    /// The shadow's directory; nil if there is none.
    var shadowDirectory: String?

    /// Loads the configured models, or `student` instead of the serving student. A given `teacher` is reused.
    ///
    /// Throws the errors of loading; `configuration` if a threshold can't be determined.
    static func load(
        _ settings: Settings, student named: ModelSettings.Model? = nil, supply: ModelSupply,
        teacher: TeacherSource? = nil, shadowFailed: (UnderstudyError) -> Void = { _ in }
    ) throws(UnderstudyError) -> ModelSet {
        let serving: ModelSettings.Model
        if let named { serving = named } else { serving = try settings.servingStudent() }
        let student = try supply.student(serving)
        var source = teacher
        if source == nil, let named = settings.models.teacher { source = try supply.teacher(named) }
        let decider = try decider(settings, student, hasTeacher: source != nil)
        var shadowDirectory: String?
        var shadow: ShadowStudent?
        do throws(UnderstudyError) {
            shadowDirectory = try ShadowLoading.directory(settings)
            shadow = try shadowDirectory.map { (directory) throws(UnderstudyError) in
                try ShadowLoading.load(directory, settings, supply: supply, labels: student.classifier.labels)
            }
        } catch {
            shadowFailed(error)
        }
        do throws(UnderstudyError) {
            let models = try CascadeModels(
                student: student.classifier, temperature: student.calibration?.temperature ?? 1, teacher: source,
                decider: decider, shadow: shadow)
            return ModelSet(
                models: models, studentDirectory: student.directory,
                lineage: try? StudentRegistry.lineage(directory: student.directory),
                studentFingerprint: student.fingerprint, shadowDirectory: shadowDirectory)
        } catch {
            throw error.placed(at: student.directory)
        }
    }

    var studentInfo: ModelInfo {
        ModelInfo(
            version: models.student.version, fingerprint: studentFingerprint ?? lineage?.fingerprint,
            loadedAt: Double(time(nil)))
    }

    var teacherInfo: ModelInfo? {
        models.teacher.map { teacher in
            let fingerprint = teacher.fingerprint
            return ModelInfo(
                version: teacher.version, fingerprint: fingerprint.isEmpty ? nil : fingerprint,
                loadedAt: Double(time(nil)))
        }
    }

    /// Runs a few lines through both models, so that pages are read and code is compiled before the first real line.
    /// Releases the memory that loading and warm-up took temporarily.
    ///
    /// Throws the errors of loading and running the teacher, unless the student may answer instead: `report` then receives the
    /// error.
    func warm(
        teacherMayFail: Bool, report: (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        let lines = LineBatch(["球队在加时赛中赢得比赛", "新车在展会上亮相", "understudy"])
        func run(_ classifier: any LineClassifier) throws(UnderstudyError) {
            var logits = [Float](repeating: 0, count: lines.count * classifier.labels.count)
            try logits.withUnsafeMutableBufferPointer { (logits) throws(UnderstudyError) in
                try classifier.makeScorer().score(lines, into: logits, deadline: nil)
            }
        }
        defer { HeapMemory.giveBack() }
        try run(models.student)
        if let shadow = models.shadow { try run(shadow.classifier) }
        guard let teacher = models.teacher, !models.decider.neverAsks else { return }
        do throws(UnderstudyError) {
            try run(teacher.classifier())
        } catch {
            guard teacherMayFail else { throw error }
            report(error)
        }
    }

    private static func decider(
        _ settings: Settings, _ student: ModelSupply.Student, hasTeacher: Bool
    ) throws(UnderstudyError) -> LineDecider {
        guard hasTeacher else { return LineDecider(.fixed(.never)) }
        let cascade = settings.cascade
        let measure = cascade.policy
        let rule: LineDecider.Rule
        switch cascade.threshold {
        case .fixed(let threshold): rule = .fixed(try DeferralPolicy(measure, below: Float(threshold)))
        case .budgetShare(let share): rule = .budgetShare(measure, share)
        case .budgetLinesPerSecond(let rate): rule = .budgetRate(measure, rate)
        case .calibrated: rule = .fixed(try calibrated(measure, student))
        case .targetError(let target): rule = .fixed(try conformal(target, measure, settings, student))
        }
        return LineDecider(rule, auditShare: cascade.auditShare)
    }

    private static func calibrated(
        _ measure: DeferralPolicy.Measure, _ student: ModelSupply.Student
    ) throws(UnderstudyError) -> DeferralPolicy {
        guard let calibration = student.calibration else {
            throw UnderstudyError(
                .configuration,
                "the student has no calibrated threshold; set cascade.threshold or a budget, or leave out the teacher",
                at: student.directory)
        }
        guard calibration.policy == measure.rawValue else {
            throw UnderstudyError(
                .configuration,
                "the student's threshold was calibrated for \(calibration.policy); set cascade.threshold for"
                    + " \(measure.rawValue) as well", at: student.directory)
        }
        return try DeferralPolicy(measure, below: calibration.deferralThreshold)
    }

    /// Computes from the holdout the threshold that keeps the error of the student's own answers below the target.
    private static func conformal(
        _ target: Double, _ measure: DeferralPolicy.Measure, _ settings: Settings, _ student: ModelSupply.Student
    ) throws(UnderstudyError) -> DeferralPolicy {
        guard let holdout = settings.redistill?.holdout else {
            throw UnderstudyError(
                .configuration, "cascade.target_error needs labelled lines: name them with redistill.holdout")
        }
        let classifier = student.classifier
        let data = try DataSet.read(path: holdout, labels: classifier.labels).labelled()
        guard !data.isEmpty else {
            throw UnderstudyError(.configuration, "has no labelled line; cascade.target_error needs some", at: holdout)
        }
        let scorer = classifier.makeScorer()
        let width = classifier.labels.count
        var logits = [Float](repeating: 0, count: data.count * width)
        try logits.withUnsafeMutableBufferPointer { (logits) throws(UnderstudyError) in
            try scorer.score(data.lines, into: logits, deadline: nil)
        }
        var certainties: [Float] = []
        var correct: [Bool] = []
        for index in 0..<data.count {
            let verdict = logits[(index * width)..<((index + 1) * width)].withUnsafeBufferPointer {
                Verdict($0, temperature: student.calibration?.temperature ?? 1)
            }
            certainties.append(verdict.map(measure.certainty) ?? 0)
            correct.append(verdict.map { $0.label == Int(data.labelIndices[index]) } ?? false)
        }
        let fit = SplitConformal.fit(confidences: certainties, correct: correct, targetError: target)
        return try DeferralPolicy(measure, below: fit.threshold)
    }
}

/// Loads the configured models. The command line supplies the location of the bundled ones.
public struct ModelSupply: Sendable {
    public struct Student: Sendable {
        public var classifier: any LineClassifier
        public var calibration: Calibration?
        /// The model's directory, links resolved.
        public var directory: String
        /// Fingerprint of its files; nil if it wasn't computed.
        public var fingerprint: String?

        public init(
            classifier: any LineClassifier, calibration: Calibration?, directory: String, fingerprint: String? = nil
        ) {
            self.fingerprint = fingerprint
            self.classifier = classifier
            self.calibration = calibration
            self.directory = directory
        }
    }

    public var student: @Sendable (ModelSettings.Model) throws(UnderstudyError) -> Student
    public var teacher: @Sendable (ModelSettings.Model) throws(UnderstudyError) -> TeacherSource

    public init(
        student: @escaping @Sendable (ModelSettings.Model) throws(UnderstudyError) -> Student,
        teacher: @escaping @Sendable (ModelSettings.Model) throws(UnderstudyError) -> TeacherSource
    ) {
        self.student = student
        self.teacher = teacher
    }
}

/// Checks whether a student can serve with given settings. The daemon checks the same before a student serves; commands
/// check it before they change a link.
public enum ServingCheck {
    /// Loads the student with the other models, compares labels, and runs some lines. `report` receives the error of a
    /// teacher that can't be loaded if the settings let the student answer instead.
    ///
    /// Throws the errors of loading; `invalidData` if its labels aren't the teacher's; `configuration` if no threshold
    /// can be determined, or if a sink filters by a label that it doesn't have.
    public static func run(
        student: ModelSettings.Model, _ settings: Settings, supply: ModelSupply,
        report: (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        let set = try ModelSet.load(settings, student: student, supply: supply)
        try set.check(settings, report: report)
    }
}

extension ModelSet {
    /// Runs some lines and compares the labels with the sinks' filters.
    func check(_ settings: Settings, report: (UnderstudyError) -> Void) throws(UnderstudyError) {
        try ReloadPlan.checkLabels(of: settings, models.student.labels)
        try warm(teacherMayFail: settings.cascade.whenTeacherFull == .answerWithStudent, report: report)
    }

    /// Loads the models for the start of a daemon. If the registry's `current` is a student that can't serve, the
    /// daemon starts with the previous version, or else with the configured student, and reports it.
    ///
    /// Throws the error of the current student if no other one can serve.
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

extension Settings {
    /// Returns the student to serve; see `servingStudent(linkExists:)`.
    ///
    /// Throws `noPermission` if this user can't determine whether a student was promoted.
    package func servingStudent() throws(UnderstudyError) -> ModelSettings.Model {
        guard redistill != nil else { return servingStudent(linkExists: false) }
        return servingStudent(linkExists: try PathLookup.kind(of: registryLink, following: false) != .absent)
    }

    /// Replacements for a registry's `current` that can't serve, the best first: the previous version, then the student
    /// of `models.student`. Empty if no `current` is followed.
    var studentsInPlaceOfCurrent: [ModelSettings.Model] {
        guard case .directory(let path)? = try? servingStudent(), isRegistryLink(path) else { return [] }
        var students: [ModelSettings.Model] = []
        if let before = try? StudentRegistry(directory: registryDirectory).previous() {
            students.append(.directory(before.directory))
        }
        if let configured = configuredStudent { students.append(configured) }
        return students
    }

    /// Creates the registry's directory, so that the first promotion is noticed. If that fails, the watch reports the
    /// error.
    func makeRegistry() { mkdir(registryDirectory, 0o755) }
}
