import Diagnostics
import Glibc

/// Reads whole small files; errors name the file.
enum FileBytes {
    /// Larger files are not tokenizer files.
    private static let maximumSize = 1 << 30

    static func read(_ path: String) throws(UnderstudyError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(.reading(errno, else: .missingInput), "can't be opened", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(.inputOutput, "can't be examined", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw UnderstudyError(.missingInput, "not a regular file", at: path)
        }
        guard status.st_size <= maximumSize else {
            throw UnderstudyError(.invalidData, "larger than 1 GiB: not a tokenizer file", at: path)
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let wanted = bytes.count - filled
            let got = bytes.withUnsafeMutableBytes { room in
                Glibc.read(descriptor, room.baseAddress.map { $0 + filled }, wanted)
            }
            if got < 0, errno == EINTR { continue }
            if got < 0 { throw failure(.inputOutput, "can't be read", path) }
            if got == 0 { break }
            filled += got
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    static func write(_ bytes: [UInt8], to path: String) throws(UnderstudyError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(.cannotCreate, "can't be created", path) }
        var written = 0
        while written < bytes.count {
            let got = bytes.withUnsafeBytes { all in
                Glibc.write(descriptor, all.baseAddress.map { $0 + written }, all.count - written)
            }
            if got < 0, errno == EINTR { continue }
            if got < 0 {
                let error = failure(.inputOutput, "can't be written", path)
                close(descriptor)
                throw error
            }
            written += got
        }
        guard close(descriptor) == 0 else { throw failure(.inputOutput, "can't be written", path) }
    }

    private static func failure(_ code: UnderstudyError.Code, _ what: String, _ path: String) -> UnderstudyError {
        UnderstudyError(code, "\(what): \(String(cString: strerror(errno)))", at: path)
    }
}
