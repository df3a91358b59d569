import Diagnostics
import Glibc

/// Reads a file into memory: the one place of this folder that touches a descriptor.
enum FileContents {
    /// All bytes of a file; a pipe is read to its end.
    static func read(path: String) throws(UnderstudyError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let number = errno
            throw UnderstudyError(
                .reading(number, else: .missingInput), "can't be opened: \(reason(number))", at: path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw UnderstudyError(.missingInput, "can't be examined: \(reason(errno))", at: path)
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw UnderstudyError(.missingInput, "is a directory; name a JSON Lines file in it", at: path)
        }
        // One byte more than the size, so that a regular file's end is seen without growing the array.
        var bytes = [UInt8](repeating: 0, count: max(Int(status.st_size) + 1, 65536))
        var filled = 0
        while true {
            if filled == bytes.count { bytes.append(contentsOf: repeatElement(0, count: bytes.count)) }
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                throw UnderstudyError(.inputOutput, "can't be read: \(reason(errno))", at: path)
            }
            if count == 0 { break }
            filled += count
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
