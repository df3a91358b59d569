import Cascade
import Configuration
import Diagnostics
import Foundation
import Models
import Service

/// The models of the daemon's verbs: those that the configuration names, or the embedded ones.
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

    /// Links are resolved once, so that all files come from one version though the link may flip meanwhile.
    static func place(of model: ModelSettings.Model, _ kind: String) throws(UnderstudyError) -> String {
        switch model {
        case .embedded: return "\(try ClassifyModels.embeddedModels())/\(kind)"
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
