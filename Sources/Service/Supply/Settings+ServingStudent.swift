import Configuration
import Diagnostics
import Glibc
import Models

extension Settings {
    /// Which student serves at this moment; see `servingStudent(linkExists:)`.
    ///
    /// Errors: `noPermission` where this user can't tell whether there is a promoted one.
    package func servingStudent() throws(UnderstudyError) -> ModelSettings.Model {
        guard redistill != nil else { return servingStudent(linkExists: false) }
        return servingStudent(linkExists: try PathLookup.kind(of: registryLink, following: false) != .absent)
    }

    /// What may serve where the registry's `current` leads to a student that can't, the best first: the version before,
    /// and the student that `models.student` names. Empty where no `current` is followed.
    var studentsInPlaceOfCurrent: [ModelSettings.Model] {
        guard case .directory(let path)? = try? servingStudent(), isRegistryLink(path) else { return [] }
        var students: [ModelSettings.Model] = []
        if let before = try? StudentRegistry(directory: registryDirectory).previous() {
            students.append(.directory(before.directory))
        }
        if let configured = configuredStudent { students.append(configured) }
        return students
    }

    /// Makes the registry's directory, so that the first promotion is seen. Where that fails the watch says why.
    func makeRegistry() { mkdir(registryDirectory, 0o755) }
}
