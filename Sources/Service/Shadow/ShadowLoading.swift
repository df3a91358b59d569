import Cascade
import Configuration
import Diagnostics
import Glibc
import Models

/// Loads the candidate that the registry's link names.
enum ShadowLoading {
    /// Where the link leads; nil where there is no shadow, or none is wanted. Errors: `noPermission`.
    static func directory(_ settings: Settings) throws(UnderstudyError) -> String? {
        guard let redistill = settings.redistill, redistill.shadow > 0 else { return nil }
        let link = StudentRegistry(directory: settings.registryDirectory).shadowLink
        return try PathLookup.resolved(link)
    }

    /// Errors: what loading throws; `invalidData` where its labels aren't the student's.
    static func load(
        _ directory: String, _ settings: Settings, supply: ModelSupply, labels: [String]
    ) throws(UnderstudyError) -> ShadowStudent {
        let student = try supply.student(.directory(directory))
        do throws(UnderstudyError) {
            return try ShadowStudent(
                student.classifier, temperature: student.calibration?.temperature ?? 1,
                share: settings.redistill?.shadow ?? 0, labels: labels)
        } catch {
            throw error.placed(at: directory)
        }
    }
}
