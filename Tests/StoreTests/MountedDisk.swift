import Diagnostics
import Foundation
import Glibc
import TestSupport

/// A tmpfs of a size of its own, unmounted with the value.
final class MountedDisk {
    private let folder: TemporaryFolder
    var path: String { folder.path }

    /// Whether this process may mount.
    static let isPossible: Bool = getuid() == 0 && (try? MountedDisk(kibibytes: 16)) != nil

    init(kibibytes: Int) throws {
        folder = try TemporaryFolder()
        try Self.mount(folder.path, 0, "size=\(kibibytes)k")
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }

    func resize(kibibytes: Int) throws { try Self.mount(path, UInt(MS_REMOUNT), "size=\(kibibytes)k") }

    func remountReadOnly() throws { try Self.mount(path, UInt(MS_REMOUNT | MS_RDONLY), "") }

    /// Writes until nothing fits any more.
    func fill() {
        let descriptor = open(path + "/filler", O_WRONLY | O_CREAT, 0o600)
        let block = [UInt8](repeating: 0, count: 4096)
        while write(descriptor, block, block.count) > 0 {}
        close(descriptor)
    }

    private static func mount(_ path: String, _ flags: UInt, _ options: String) throws {
        guard Glibc.mount("tmpfs", path, "tmpfs", flags, options) == 0 else {
            throw UnderstudyError(.internalFailure, String(cString: strerror(errno)), at: path)
        }
    }
}
