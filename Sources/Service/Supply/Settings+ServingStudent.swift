import Configuration
import Glibc
import Models

extension Settings {
    /// Which student serves at this moment; see `servingStudent(linkExists:)`.
    package var servingStudent: ModelSettings.Model {
        var status = stat()
        return servingStudent(linkExists: lstat(registryLink, &status) == 0)
    }

    /// What may serve where the registry's `current` leads to a student that can't, the best first: the version before,
    /// and the student that `models.student` names. Empty where no `current` is followed.
    var studentsInPlaceOfCurrent: [ModelSettings.Model] {
        guard case .directory(let path) = servingStudent, isRegistryLink(path) else { return [] }
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
