import Glibc
import Synchronization

/// A folder in memory for a target that needs paths; removed when the process ends normally.
final class FuzzFolder: Sendable {
    private static let all = Mutex<[String]>([])
    private static let atTheEnd: Void = { atexit { FuzzFolder.all.withLock { $0.forEach(FuzzFolder.remove) } } }()

    let path: String

    init(_ target: String) {
        _ = Self.atTheEnd
        let memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        let path = "\(memory)/fuzz-understudy-\(getpid())-\(target)"
        self.path = path
        Self.remove(path)
        hold(mkdir(path, 0o700) == 0, "\(path) can't be made")
        Self.all.withLock { $0.append(path) }
    }

    /// Writes a file and returns its path. The file is always a new one, since a mapped file mustn't change.
    @discardableResult func write(_ bytes: [UInt8], to name: String) -> String {
        let file = "\(path)/\(name)"
        unlink(file)
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        hold(descriptor >= 0 && Glibc.write(descriptor, bytes, bytes.count) == bytes.count, "\(file) can't be written")
        close(descriptor)
        return file
    }

    func remove(_ name: String) { unlink("\(path)/\(name)") }

    /// Removes everything in it.
    func empty() { Self.empty(path) }

    private static func empty(_ path: String) {
        guard let directory = opendir(path) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { remove("\(path)/\(name)") }
        }
    }

    private static func remove(_ path: String) {
        if unlink(path) == 0 || errno == ENOENT { return }
        empty(path)
        rmdir(path)
    }
}
