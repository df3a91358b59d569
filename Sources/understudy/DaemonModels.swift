import Cascade
import Configuration
import Diagnostics
import Foundation
import Models
import Service

/// Loads the models of the daemon's subcommands: the configured or the bundled ones.
enum DaemonModels {
    static let supply = ModelSupply(
        student: { (model) throws(UnderstudyError) in
            let directory = try place(of: model, "student")
            let student = try ClassifyModels.student(directory: directory)
            var fingerprint = student.fingerprint
            if fingerprint == nil { fingerprint = try Fingerprint.of(model: directory) }
            return ModelSupply.Student(
                classifier: student.classifier, calibration: student.calibration, directory: directory,
                fingerprint: fingerprint)
        },
        teacher: { (model) throws(UnderstudyError) in
            try ClassifyModels.teacher(directory: try place(of: model, "teacher"), remembersFailure: false)
        })

    /// Resolves links once, so that all files are of one version even if the link changes meanwhile.
    static func place(of model: ModelSettings.Model, _ kind: String) throws(UnderstudyError) -> String {
        switch model {
        case .bundled: return "\(try ClassifyModels.bundledModels())/\(kind)"
        case .directory(let path):
            guard let resolved = try PathLookup.resolved(path) else {
                throw UnderstudyError(
                    .missingInput, "the \(kind)'s directory can't be found: \(String(cString: strerror(ENOENT)))",
                    at: path)
            }
            return resolved
        }
    }
}
