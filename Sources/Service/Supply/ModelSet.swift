import Cascade
import Configuration
import Diagnostics
import Distillation
import Glibc
import Models
import Streams

/// The models and the deferral rule that settings ask for, loaded and warmed.
struct ModelSet: Sendable {
    var models: CascadeModels
    /// Where the student came from, links resolved.
    var studentDirectory: String
    /// nil where the student has none.
    var lineage: StudentLineage?
    /// Of the student's files; nil: it wasn't computed.
    var studentFingerprint: String?
    /// Where the shadow came from; nil: there is none.
    var shadowDirectory: String?

    /// Loads what the settings name, or `student` in place of the student that serves. A `teacher` that is there already is
    /// kept.
    ///
    /// Throws what loading throws; `configuration` where a threshold can't be had.
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

    /// Runs a few lines through both models, so that the first real line meets them warm: pages read, code compiled.
    /// What loading and warming took for a moment is given back.
    ///
    /// Throws what loading the teacher throws, unless the student may answer in its place: then `report` is told.
    func warm(
        teacherMayFail: Bool, report: (UnderstudyError) -> Void
    ) throws(UnderstudyError) {
        let lines = LineBatch(["球队在加时赛中赢得比赛", "新车在展会上亮相", "understudy"])
        func run(_ classifier: any LineClassifier) {
            let count = lines.count * classifier.labels.count
            withUnsafeTemporaryAllocation(of: Float.self, capacity: count) {
                classifier.makeScorer().score(lines, into: $0)
            }
        }
        defer { HeapMemory.giveBack() }
        run(models.student)
        if let shadow = models.shadow { run(shadow.classifier) }
        guard let teacher = models.teacher, !models.decider.neverAsks else { return }
        do throws(UnderstudyError) {
            run(try teacher.classifier())
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
        let measure: DeferralPolicy.Measure =
            switch cascade.policy {
            case .confidence: .confidence
            case .margin: .margin
            case .entropy: .entropy
            }
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

    /// The threshold that keeps the error among the student's own answers below the target, from the holdout.
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
        logits.withUnsafeMutableBufferPointer { scorer.score(data.lines, into: $0) }
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
