import Diagnostics
import Glibc
import Models
import Tensors

/// A teacher's logits by line, kept on disk so that a line is scored once however many students learn from it.
///
/// JSON Lines: a header `{"teacher":"<fingerprint>","labels":[…]}`, then `{"id":"<16 hex digits>","logits":[…]}` a line,
/// where the id is the hash of the line's text (`DataSet.textHashes`). Logits are joined to lines by that id, never by
/// position. Lines are appended as they are scored; a line that a killed run left half-written is cut off.
public final class TeacherLogitsFile {
    public let path: String
    private let labels: Int
    private var logits: [UInt64: [Float]] = [:]
    private var pending: [UInt8] = []
    private let descriptor: Int32

    /// Opens or creates the file.
    ///
    /// - Throws: `invalidData` when it belongs to another teacher or has lines that aren't of this form;
    ///   `cannotCreate` when it can't be opened.
    public init(path: String, teacher fingerprint: String, labels: [String]) throws(UnderstudyError) {
        self.path = path
        self.labels = labels.count
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw UnderstudyError(
                .cannotCreate, "the teacher's logits can't be kept: \(String(cString: strerror(errno)))", at: path)
        }
        do {
            try load(fingerprint, labels)
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    public var count: Int { logits.count }

    public func values(_ id: UInt64) -> [Float]? { logits[id] }

    /// Keeps logits for `flush` to write.
    public func add(_ id: UInt64, _ values: ArraySlice<Float>) {
        logits[id] = Array(values)
        let digits = String(id, radix: 16)
        let text = values.map { "\($0)" }.joined(separator: ",")
        pending.append(
            contentsOf:
                "{\"id\":\"\(String(repeating: "0", count: 16 - digits.count))\(digits)\",\"logits\":[\(text)]}\n"
                .utf8)
    }

    /// Writes what was added since.
    public func flush() throws(UnderstudyError) {
        var written = 0
        while written < pending.count {
            let result = pending.withUnsafeBytes { bytes in
                write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            }
            guard result >= 0 || errno == EINTR else {
                throw UnderstudyError(
                    .inputOutput, "the teacher's logits can't be written: \(String(cString: strerror(errno)))", at: path
                )
            }
            written += max(result, 0)
        }
        pending.removeAll(keepingCapacity: true)
    }

    private func load(_ fingerprint: String, _ labels: [String]) throws(UnderstudyError) {
        let bytes = try readAll()
        guard let end = bytes.lastIndex(of: 0x0A) else {
            // New, or not even the header was written.
            ftruncate(descriptor, 0)
            lseek(descriptor, 0, SEEK_SET)
            let names = labels.map { Quoting.json($0) }.joined(separator: ",")
            pending.append(contentsOf: "{\"teacher\":\"\(fingerprint)\",\"labels\":[\(names)]}\n".utf8)
            return try flush()
        }
        var number = 0
        for line in bytes[...end].split(separator: 0x0A) {
            number += 1
            let place = "\(path):\(number)"
            let json = try line.withUnsafeBufferPointer { (raw) throws(UnderstudyError) in
                try ModelConfiguration(json: UnsafeRawBufferPointer(raw), path: place)
            }
            if number == 1 {
                guard try json.string("teacher") == fingerprint, try json.strings("labels") == labels else {
                    throw UnderstudyError(
                        .invalidData, "these are another teacher's logits; name another file or remove this one",
                        at: path)
                }
                continue
            }
            let values = try json.doubles("logits").map { Float($0) }
            guard let id = UInt64(try json.string("id"), radix: 16), values.count == labels.count,
                values.allSatisfy(\.isFinite)
            else {
                throw UnderstudyError(.invalidData, "this isn't a line of logits; remove the file", at: place)
            }
            logits[id] = values
        }
        ftruncate(descriptor, off_t(end + 1))
        lseek(descriptor, 0, SEEK_END)
    }

    private func readAll() throws(UnderstudyError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            guard count > 0 || errno == EINTR else {
                throw UnderstudyError(
                    .inputOutput, "can't be read: \(String(cString: strerror(errno)))", at: path)
            }
            if count > 0 { bytes.append(contentsOf: chunk[..<count]) }
        }
    }
}
