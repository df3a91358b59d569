import Cascade
import Diagnostics
import Foundation
import Models

/// Finds and loads the models of `classify`. The only file of the verb that knows of model directories.
enum ClassifyModels {
    struct Places: Equatable {
        var student: String
        /// nil: the student answers alone.
        var teacher: String?
    }

    struct Student {
        var classifier: any LineClassifier
        var calibration: Calibration?
        /// Where its lineage names it, and the files have it; nil otherwise.
        var fingerprint: String?
    }

    /// Named directories as they are. Without `--student` the embedded student, and the embedded teacher unless
    /// another is named or none is wanted.
    static func places(student: String?, teacher: String?, withoutTeacher: Bool) throws(UnderstudyError) -> Places {
        if let student { return Places(student: student, teacher: teacher) }
        let embedded = try embeddedModels()
        if withoutTeacher { return Places(student: embedded + "/student", teacher: nil) }
        return Places(student: embedded + "/student", teacher: teacher ?? embedded + "/teacher")
    }

    /// The folder with the embedded `student` and `teacher`: `$UNDERSTUDY_MODELS`, else `../share/understudy/models`
    /// beside the executable's folder (installed), else `share/models` in one of the folders above it (built here).
    static func embeddedModels() throws(UnderstudyError) -> String {
        if let named = EnvironmentVariable.value("UNDERSTUDY_MODELS") { return named }
        let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        var folder = executable.deletingLastPathComponent()
        var candidates = [folder.deletingLastPathComponent().appendingPathComponent("share/understudy/models").path]
        while folder.path != "/" {
            candidates.append(folder.appendingPathComponent("share/models").path)
            folder.deleteLastPathComponent()
        }
        var found: String?
        var denied: UnderstudyError?
        for candidate in candidates where found == nil {
            // A folder that may not be looked into is only worth telling of if the models are in none of the others.
            do throws(UnderstudyError) {
                if try PathLookup.exists(candidate + "/student") { found = candidate }
            } catch {
                denied = denied ?? error
            }
        }
        guard let found else {
            if let denied { throw denied }
            throw UnderstudyError(
                .missingInput,
                "the embedded models aren't installed with this program; name a model with --student, or the folder"
                    + " that holds student and teacher with UNDERSTUDY_MODELS")
        }
        return found
    }

    static func student(directory: String) throws(UnderstudyError) -> Student {
        let lineage = try StudentRegistry.verify(directory: directory)
        let classifier = try ModelLoader.load(directory: directory)
        return Student(
            classifier: classifier, calibration: (classifier as? Models.Student)?.calibration,
            fingerprint: lineage?.fingerprint)
    }

    /// A teacher that is loaded with the first line that needs it. What is wrong with its directory at first sight is
    /// refused at once.
    static func teacher(
        directory: String, remembersFailure: Bool = true
    ) throws(UnderstudyError) -> TeacherSource {
        let labels = try labels(in: directory)
        let weights = directory + "/model.safetensors"
        guard FileManager.default.isReadableFile(atPath: weights) else { throw unreadable(weights) }
        let version = URL(fileURLWithPath: directory).standardizedFileURL.lastPathComponent
        // A filter keeps no log, and would have to wait for it.
        return TeacherSource(
            labels: labels, version: version, remembersFailure: remembersFailure,
            fingerprint: { () throws(UnderstudyError) in
                remembersFailure ? "" : try Fingerprint.of(model: directory)
            },
            load: { () throws(UnderstudyError) in try ModelLoader.load(directory: directory) })
    }

    private static func unreadable(_ path: String) -> UnderstudyError {
        var error = PathLookup.unreadable(path)
        if error.code == .missingInput { error.message = "can't be read; a model directory has this file" }
        return error
    }

    /// The labels that a directory's config.json names: `id2label` in the order of the ids, or `labels`.
    private static func labels(in directory: String) throws(UnderstudyError) -> [String] {
        struct Config: Decodable {
            var id2label: [String: String]?
            var labels: [String]?
        }
        let path = directory + "/config.json"
        guard let bytes = FileManager.default.contents(atPath: path) else { throw unreadable(path) }
        guard let config = try? JSONDecoder().decode(Config.self, from: bytes) else {
            throw UnderstudyError(.invalidData, "isn't the configuration of a model", at: path)
        }
        if let labels = config.labels { return labels }
        let named = config.id2label ?? [:]
        let ordered = (0..<named.count).compactMap { named[String($0)] }
        guard !ordered.isEmpty, ordered.count == named.count else {
            throw UnderstudyError(.invalidData, "has no 'id2label' with the ids 0, 1, 2 … and their labels", at: path)
        }
        return ordered
    }
}
