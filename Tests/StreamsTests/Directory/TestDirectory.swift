import Glibc
import Testing

/// A directory of a test's own; gone when the test is done with it.
final class TestDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/understudy-directory-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        path = try #require(made)
    }

    deinit { Self.remove(path) }

    private static func remove(_ directory: String) {
        chmod(directory, 0o700)
        for name in names(in: directory) {
            let path = directory + "/" + name
            if unlink(path) != 0 { remove(path) }
        }
        rmdir(directory)
    }

    static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    func names(_ directory: String = "") -> [String] { Self.names(in: path(directory)) }

    func path(_ name: String) -> String { name.isEmpty ? path : path + "/" + name }

    /// Appends, and closes the file again.
    func append(_ name: String, _ bytes: some Sequence<UInt8>) throws {
        let file = try TestFile(path(name))
        try file.write(Array(bytes))
    }

    func append(_ name: String, _ text: String) throws { try append(name, text.utf8) }

    /// Empties the file and writes anew, as a shell's `>` does.
    func overwrite(_ name: String, _ text: String) throws {
        let file = try TestFile(path(name), O_TRUNC)
        try file.write(Array(text.utf8))
    }

    func rename(_ name: String, _ other: String) throws {
        try #require(Glibc.rename(path(name), path(other)) == 0)
    }

    func delete(_ name: String) throws { try #require(unlink(path(name)) == 0) }

    func makeDirectory(_ name: String) throws { try #require(mkdir(path(name), 0o755) == 0) }

    func text(_ name: String) throws -> String {
        let file = try #require(fopen(path(name), "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1_000_000)
        return String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
    }

    /// Sets the time of the last change, in seconds before now.
    func age(_ name: String, seconds: Int) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let time = timespec(tv_sec: now.tv_sec - seconds, tv_nsec: 0)
        utimensat(AT_FDCWD, path(name), [time, time], 0)
    }

    /// How many of this process's descriptors are open on something below this directory.
    var openDescriptors: Int {
        Self.names(in: "/proc/self/fd").count { number in
            var target = [UInt8](repeating: 0, count: 4096)
            let count = target.withUnsafeMutableBytes {
                $0.bindMemory(to: CChar.self).baseAddress.map { readlink("/proc/self/fd/\(number)", $0, 4096) } ?? 0
            }
            return String(decoding: target[..<max(0, count)], as: UTF8.self).hasPrefix(path + "/")
        }
    }
}

/// A file that stays open for writing, as a logging program keeps it.
final class TestFile {
    let descriptor: Int32

    init(_ path: String, _ flags: Int32 = 0) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0o644)
        try #require(descriptor >= 0)
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8]) throws { try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count) }

    func write(_ text: String) throws { try write(Array(text.utf8)) }

    func truncate() { ftruncate(descriptor, 0) }
}
