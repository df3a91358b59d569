import CFiles
import Diagnostics
import Glibc

/// The lines of a text file, plain or compressed with gzip, read as a stream.
final class CompressedLines {
    /// Longer lines are refused: word-vector files have none, and a damaged file must not exhaust the memory.
    private static let maximumLineLength = 4 << 20
    private static let chunkLength = 1 << 18

    /// The number of the line that `next` last returned, from 1.
    private(set) var number = 0
    private let path: String
    private let file: gzFile
    /// Unread bytes are `buffer[start ..< end]`; one more byte is reserved for the zero after the last line.
    private var buffer: UnsafeMutableBufferPointer<UInt8>
    private var start = 0
    private var end = 0
    private var isAtEnd = false

    /// Errors: `missingInput`.
    init(path: String) throws(UnderstudyError) {
        self.path = path
        errno = 0
        guard let file = gzopen(path, "rbe") else {
            let reason = errno
            throw UnderstudyError(
                .reading(reason, else: .missingInput),
                reason == ENOENT ? "no such file" : "the file can't be opened: \(String(cString: strerror(reason)))",
                at: path)
        }
        self.file = file
        gzbuffer(file, UInt32(Self.chunkLength))
        buffer = .allocate(capacity: 2 * Self.chunkLength)
    }

    deinit {
        gzclose(file)
        buffer.deallocate()
    }

    /// The next line without its line break, followed by a zero byte that isn't counted; valid until the next call.
    ///
    /// Errors: `inputOutput` if a read fails, `invalidData` for a damaged or truncated gzip and for a line over 4 MiB.
    func next() throws(UnderstudyError) -> UnsafeBufferPointer<UInt8>? {
        var searched = start
        while true {
            if let lineEnd = buffer[searched..<end].firstIndex(of: 0x0a) { return line(to: lineEnd, then: lineEnd + 1) }
            searched = end
            if isAtEnd { return start == end ? nil : line(to: end, then: end) }
            searched -= try fill()
        }
    }

    private func line(to lineEnd: Int, then next: Int) -> UnsafeBufferPointer<UInt8> {
        number += 1
        buffer[lineEnd] = 0
        defer { start = next }
        return UnsafeBufferPointer(rebasing: buffer[start..<lineEnd])
    }

    /// Reads more data; returns the number of bytes by which unread ones moved to the front.
    private func fill() throws(UnderstudyError) -> Int {
        guard end - start <= Self.maximumLineLength else {
            throw UnderstudyError(.invalidData, "the line is over 4 MiB long", at: "\(path):\(number + 1)")
        }
        let moved = start
        if let base = buffer.baseAddress { base.update(from: base + start, count: end - start) }
        end -= start
        start = 0
        if buffer.count - end - 1 < Self.chunkLength {
            let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 2 * buffer.count)
            _ = larger.update(fromContentsOf: buffer[..<end])
            buffer.deallocate()
            buffer = larger
        }
        let count = gzread(file, buffer.baseAddress.map { $0 + end }, UInt32(Self.chunkLength))
        if count > 0 { end += Int(count) } else { isAtEnd = true }
        if count <= 0 { try checkEnd() }
        return moved
    }

    /// Distinguishes the end of the file from damage at the end of the data.
    private func checkEnd() throws(UnderstudyError) {
        var code: Int32 = 0
        let message = gzerror(file, &code)
        switch code {
        case Z_OK, Z_STREAM_END: return
        case Z_ERRNO:
            throw UnderstudyError(.inputOutput, "the file can't be read: \(String(cString: strerror(errno)))", at: path)
        case Z_BUF_ERROR:
            throw UnderstudyError(.invalidData, "the compressed file is truncated", at: path)
        default:
            let reason = message.map { String(cString: $0) } ?? "code \(code)"
            throw UnderstudyError(.invalidData, "the compressed file is damaged (\(reason))", at: path)
        }
    }
}
