import Configuration
import Glibc

extension Settings {
    /// Which student serves at this moment; see `servingStudent(linkExists:)`.
    package var servingStudent: ModelSettings.Model {
        var status = stat()
        return servingStudent(linkExists: lstat(registryLink, &status) == 0)
    }

    /// Makes the registry's directory, so that the first promotion is seen. Where that fails the watch says why.
    func makeRegistry() { mkdir(registryDirectory, 0o755) }
}
