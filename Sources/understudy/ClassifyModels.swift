import Bytes
import Cascade
import Diagnostics
import Foundation
import Models

/// Finds and loads the models of `classify`. Only this file of the command uses model directories.
enum ClassifyModels {
    struct Places: Equatable {
        var student: String
        /// nil: the student answers alone.
        var teacher: String?
    }

    struct Student {
        var classifier: any LineClassifier
        var calibration: Calibration?
        /// The fingerprint, if the lineage names it and the files match; else nil.
        var fingerprint: String?
    }

    /// Returns the model directories. Without `--student` it is the bundled student, with the bundled teacher unless
    /// another or none is requested.
    static func places(student: String?, teacher: String?, withoutTeacher: Bool) throws(UnderstudyError) -> Places {
        if let student { return Places(student: student, teacher: teacher) }
        let bundled = try bundledModels()
        if withoutTeacher { return Places(student: bundled + "/student", teacher: nil) }
        return Places(student: bundled + "/student", teacher: teacher ?? bundled + "/teacher")
    }

    /// Returns the folder with the bundled `student` and `teacher`: `$UNDERSTUDY_MODELS`, else
    /// `../share/understudy/models` relative to the executable's folder (installed), else `share/models` in a folder
    /// above it (development build).
    static func bundledModels() throws(UnderstudyError) -> String {
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
            // An unreadable folder is reported only if the models are in no other.
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
                "the bundled models aren't installed with this program; name a model with --student, or the directory"
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

    /// Returns a teacher that is loaded for its first line. Obvious errors of its directory are reported at once.
    static func teacher(
        directory: String, remembersFailure: Bool = true
    ) throws(UnderstudyError) -> TeacherSource {
        let labels = try labels(in: directory)
        let weights = directory + "/model.safetensors"
        guard FileManager.default.isReadableFile(atPath: weights) else { throw unreadable(weights) }
        let version = URL(fileURLWithPath: directory).standardizedFileURL.lastPathComponent
        // A filter keeps no log, so computing the fingerprint would only delay it.
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

    /// Returns the labels in a directory's config.json: `id2label` in the order of the ids, or `labels`.
    private static func labels(in directory: String) throws(UnderstudyError) -> [String] {
        let path = directory + "/config.json"
        guard let bytes = FileManager.default.contents(atPath: path) else { throw unreadable(path) }
        guard let config = try? bytes.withUnsafeBytes({ try JSONReader().read($0) }).object else {
            throw UnderstudyError(.invalidData, "isn't the configuration of a model", at: path)
        }
        let named = Dictionary((config["id2label"]?.object?.members ?? []).map { ($0.key, $0.value.string) }) { $1 }
        let found = config["labels"]?.array?.map(\.string) ?? (0..<named.count).map { named[String($0)] ?? nil }
        let labels = found.compactMap(\.self)
        guard !labels.isEmpty, labels.count == found.count else {
            throw UnderstudyError(.invalidData, "has no 'id2label' with the ids 0, 1, 2 … and their labels", at: path)
        }
        return labels
    }
}
