import Configuration
import Diagnostics
import Distillation
import Foundation
import Glibc
import Models
import Store

/// The parameters of a run.
public struct RunRequest: Sendable {
    public var settings: Settings
    public var redistill: RedistillSettings
    /// Does everything but the promotion.
    public var isDryRun: Bool
    /// The directory of the serving student, links resolved.
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
    /// The workplace for unpublished results. It is removed at the start and end of each run.
    var workplace: String { state + "/redistill.work" }
    /// The cache of the teacher's logits, kept between runs.
    var teacherLogits: String { state + "/teacher-logits" }

    /// Returns the version that the registry's `current` points to; nil if there is none. With a directory (links
    /// resolved), also nil if `current` points to another one.
    func servingVersion(at directory: String? = nil) throws(UnderstudyError) -> String? {
        guard let current = try StudentRegistry(directory: settings.registryDirectory).current() else { return nil }
        guard let directory else { return current.version }
        guard let resolved = realpath(current.directory, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved) == directory ? current.version : nil
    }

    /// The file by which the daemon requests an early run.
    public static func requestFile(state: String) -> String { state + "/redistill.request" }
}

/// The outcome of a run.
public struct RedistillOutcome: Sendable {
    /// nil if there was nothing to do.
    public var run: RedistillationRun?
    /// The outcome in one sentence.
    public var sentence: String

    public init(run: RedistillationRun?, sentence: String) {
        self.run = run
        self.sentence = sentence
    }
}

/// The results of a run so far, for the gate, the registry and the report.
struct RunFindings {
    let materials: RunMaterials
    let seed: UInt64
    var harvest: Harvest.Outcome
    var replay: DataSet
    var evidence: GateEvidence
    var decision = GateDecision(criteria: [])
    /// The candidate and its training history; nil before training.
    var candidate: StudentDistiller.Result?
    /// Its directory in the workplace.
    var candidateDirectory: String?
    /// The teacher's logits on the holdout, row-major.
    var teacherLogits: [Float] = []
    var candidateReference: StudentReference?

    init(materials: RunMaterials, seed: UInt64) {
        self.materials = materials
        self.seed = seed
        let empty = DataSet(labels: materials.labels, lines: LineBatch(), labelIndices: [])
        harvest = Harvest.Outcome(
            learnt: empty, heldOut: empty, known: [:], teacherLabels: [:], trusted: [], perLabel: [],
            counts: HarvestCounts())
        replay = empty
        evidence = GateEvidence(labels: materials.labels, truth: materials.holdout.labelIndices)
    }
}

/// Directories in the state directory that a run creates and removes.
enum RunFolder {
    /// Creates the directory and its parents if missing.
    ///
    /// Throws `cannotCreate` or `noSpace`.
    static func make(_ path: String) throws(UnderstudyError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw UnderstudyError(
                .writing(errno, else: .cannotCreate), "the directory can't be created: \(error.localizedDescription)",
                at: path)
        }
    }

    /// Removes the directory and its contents. Files that can't be removed are left to the next run.
    static func remove(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Removes the files in `directory` named `prefix`, a number and `suffix`, except those with the `count` largest
    /// numbers.
    static func keepNewest(_ count: Int, in directory: String, prefix: String, suffix: String) {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else { return }
        let numbered = names.compactMap { name -> (number: Int64, name: String)? in
            guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
            return Int64(name.dropFirst(prefix.count).dropLast(suffix.count)).map { ($0, name) }
        }
        for file in numbered.sorted(by: { $0.number > $1.number }).dropFirst(count) {
            try? FileManager.default.removeItem(atPath: directory + "/" + file.name)
        }
    }
}
