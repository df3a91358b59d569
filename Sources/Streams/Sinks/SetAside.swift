import Diagnostics
import Glibc

/// Keeps bytes that a sink file can't keep and that can't be proven to be the daemon's own, each time in a new file
/// under `set-aside` in the state directory.
public struct SetAside: Sendable {
    private let directory: String

    public init(stateDirectory: String) { directory = stateDirectory + "/set-aside" }

    /// Stores `bytes` durably and returns the path of the new file.
    ///
    /// Errors: `cannotCreate`, `noSpace`, `inputOutput`.
    func keep(_ bytes: some Sequence<[UInt8]>, of sink: String) throws(UnderstudyError) -> String {
        if mkdir(directory, 0o750) != 0, errno != EEXIST { throw Self.failure("created", directory) }
        let (descriptor, path) = try create(PathTemplate.component(sink) + "-" + Self.timeText(time(nil)))
        defer { close(descriptor) }
        for piece in bytes {
            guard Self.write(piece, to: descriptor) else { throw Self.failure("written to", path) }
        }
        try Self.synchronise(descriptor, path)
        switch PatientCall.result({ open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }) {
        case .failure(let why): throw Self.failure("synced to disk", directory, why.number)
        case .success(let folder):
            defer { close(folder) }
            try Self.synchronise(folder, directory)
        }
        return path
    }

    private func create(_ name: String) throws(UnderstudyError) -> (Int32, String) {
        for number in 1...1000 {
            let path = directory + "/" + name + (number == 1 ? "" : "-\(number)")
            switch PatientCall.result({ open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640) }) {
            case .success(let descriptor): return (descriptor, path)
            case .failure(let why): guard why.number == EEXIST else { throw Self.failure("created", path, why.number) }
            }
        }
        throw Self.failure("created", directory + "/" + name)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let written = bytes.withUnsafeBytes { bytes in
                PatientCall.result {
                    Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
                }
            }
            switch written {
            case .success(let count) where count > 0: done += count
            case .success:
                errno = ENOSPC
                return false
            case .failure(let why):
                errno = why.number
                return false
            }
        }
        return true
    }

    private static func synchronise(_ descriptor: Int32, _ path: String) throws(UnderstudyError) {
        let number = PatientCall.number { fsync(descriptor) == 0 ? 0 : errno }
        guard number == 0 else { throw failure("synced to disk", path, number) }
    }

    /// `20261125T130252Z`.
    private static func timeText(_ seconds: time_t) -> String {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        strftime(&text, text.count, "%Y%m%dT%H%M%SZ", &parts)
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static func failure(_ what: String, _ path: String, _ number: Int32 = errno) -> UnderstudyError {
        UnderstudyError(
            .writing(number, else: .cannotCreate),
            "data can't be set aside: the file can't be \(what) (\(String(cString: strerror(number))))", at: path
        )
    }
}

/// What file sinks keep in the state directory besides the committed lengths.
public struct SinkKeeping: Sendable {
    public var journal: AppendJournal?
    public var aside: SetAside?

    public init(journal: AppendJournal? = nil, aside: SetAside? = nil) {
        self.journal = journal
        self.aside = aside
    }
}
