import CFiles
import Diagnostics
import Glibc

/// One configured file sink. Its path may hold `{label}`, `{source}` and `{date}`, so it may be many files.
///
/// All calls are made by one thread at a time. However a file is opened again (by another path, after `reopen`, or
/// after it was closed for lack of descriptors), it is the same `SinkFile` while any reference to that exists: two of
/// them would disagree about the length. So the appending code keeps a reference until the file's length is committed,
/// and a sink that replaces another after a reload begins when all of that is committed.
public final class FileSink: Sendable {
    public struct Settings: Sendable {
        public var name: String
        public var path: PathTemplate
        public var permissions: UInt32
        /// Whether `SinkFile.synchronise` syncs data to the disk.
        public var syncs: Bool
        package var calls = SinkCalls()

        public init(name: String, path: PathTemplate, permissions: UInt32 = 0o640, syncs: Bool = true) {
            self.name = name
            self.path = path
            self.permissions = permissions
            self.syncs = syncs
        }
    }

    /// Identifies a line's file; the parts that the path doesn't hold are left out.
    private struct Key: Hashable, Sendable {
        var label = ""
        var source = ""
        var day = 0
    }

    private struct Entry: Sendable {
        var file: SinkFile
        var lastUse: UInt64
    }

    private struct ReleasedFile: Sendable {
        weak var file: SinkFile?
        /// Holds the file as long as it can't be cut: opened anew, it would begin with what was taken back.
        var uncut: SinkFile?

        init(_ file: SinkFile) {
            self.file = file
            uncut = file.isUncut ? file : nil
        }
    }

    private struct State: Sendable {
        var open: [Key: Entry] = [:]
        /// Files that this sink has released and that may still be referenced.
        var released: [ReleasedFile] = []
        var uses: UInt64 = 0
        var day = LocalDay(containing: 0)
    }

    /// Maximum number of idle files kept open; files that wait for their commit are not counted. A service may have
    /// 1024 descriptors unless its unit sets another limit.
    private static let mostIdleFiles = 64

    public let settings: Settings
    private let register: @Sendable (SinkLength) throws(UnderstudyError) -> Void
    private let report: @Sendable (UnderstudyError) -> Void
    private let keeping: SinkKeeping
    private let state = Monitor(State())

    /// `register` is called with a file's length right after it has been opened or created and before its first byte is
    /// written; it returns when that is durable. `report` takes problems that don't stop the sink.
    public init(
        _ settings: Settings, keeping: SinkKeeping = SinkKeeping(),
        register: @escaping @Sendable (SinkLength) throws(UnderstudyError) -> Void,
        report: @escaping @Sendable (UnderstudyError) -> Void
    ) {
        self.settings = settings
        self.keeping = keeping
        self.register = register
        self.report = report
    }

    public var usesLabels: Bool { settings.path.usesLabel }

    /// The file for a line; opened or created if it isn't open.
    ///
    /// Errors: `cannotCreate`; `noSpace`; `tryAgain` when too many files are open or another process has locked the
    /// file; those that `register` throws.
    public func file(label: String, source: String, time: time_t) throws(UnderstudyError) -> SinkFile {
        let outcome = state.withLock { state in
            Result { () throws(UnderstudyError) in
                try file(label: label, source: source, time: time, &state)
            }
        }
        return try outcome.get()
    }

    /// Releases the open files, so that the next lines go to the files that are at their paths then (logrotate,
    /// SIGHUP).
    public func reopen() {
        state.withLock { state in
            for entry in state.open.values { state.released.append(ReleasedFile(entry.file)) }
            state.open.removeAll()
            Self.forgetClosed(&state)
        }
    }

    /// Closes the files without uncommitted data. For use when the descriptor limit is reached.
    public func releaseIdle() {
        state.withLock { state in
            for key in Array(state.open.keys) {
                guard let index = state.open.index(forKey: key) else { continue }
                if Self.isIdle(&state.open.values[index].file) { state.open.remove(at: index) }
            }
        }
    }

    /// Whether a file may be closed.
    private static func isIdle(_ file: inout SinkFile) -> Bool {
        isKnownUniquelyReferenced(&file) && !file.isUncut
    }

    private static func forgetClosed(_ state: inout State) {
        for index in state.released.indices where state.released[index].uncut?.isUncut == false {
            state.released[index].uncut = nil
        }
        state.released.removeAll { $0.file == nil }
    }

    /// Replaces a file that no longer has a name; its uncommitted bytes are appended to the new file. nil if the file
    /// has a name.
    ///
    /// Errors: as those of `file` and `SinkFile.append`; then nothing was appended.
    public func replace(_ file: SinkFile) throws(UnderstudyError) -> SinkFile? {
        guard file.isDeleted else { return nil }
        let outcome = state.withLock { state in
            Result { () throws(UnderstudyError) -> SinkFile in
                let key = state.open.first { $0.value.file === file }?.key
                if let key { state.open[key] = nil }
                state.released.append(ReleasedFile(file))
                let new = try open(file.path, state)
                if let key {
                    state.open[key] = Entry(file: new, lastUse: state.uses)
                } else if !state.open.values.contains(where: { $0.file === new }) {
                    state.released.append(ReleasedFile(new))
                }
                return new
            }
        }
        let new = try outcome.get()
        let count = try file.copyUncommitted(to: new)
        report(
            UnderstudyError(
                .inputOutput,
                "the file of sink \(settings.name) was deleted while it was in use; a new one was created with the "
                    + "\(count) uncommitted bytes; the committed bytes are lost with the old file",
                at: file.path))
        return new
    }

    private func file(
        label: String, source: String, time: time_t, _ state: inout State
    ) throws(UnderstudyError) -> SinkFile {
        let template = settings.path
        var key = Key()
        if template.usesLabel { key.label = label }
        if template.usesSource { key.source = source }
        if template.usesDate {
            if !state.day.covers(time) { state.day = LocalDay(containing: time) }
            key.day = state.day.number
        }
        state.uses += 1
        if let index = state.open.index(forKey: key) {
            if !state.open.values[index].file.isDeleted {
                state.open.values[index].lastUse = state.uses
                return state.open.values[index].file
            }
            // Its uncommitted bytes are taken over with the next commit.
            state.released.append(ReleasedFile(state.open.values[index].file))
            state.open.remove(at: index)
        }
        makeRoom(&state)
        let path = template.path(label: key.label, source: key.source, date: template.usesDate ? state.day.text : "")
        let file = try open(path, state)
        state.open[key] = Entry(file: file, lastUse: state.uses)
        return file
    }

    /// Releases the least recently used files without uncommitted data, and those of past days.
    private func makeRoom(_ state: inout State) {
        if settings.path.usesDate {
            // Yesterday's files stay open: lines of both days may alternate around midnight.
            for (key, entry) in state.open where key.day < state.day.number - 1 {
                state.released.append(ReleasedFile(entry.file))
                state.open[key] = nil
            }
        }
        if state.open.count >= Self.mostIdleFiles { closeIdle(&state) }
        Self.forgetClosed(&state)
    }

    private func closeIdle(_ state: inout State) {
        let byUse = state.open.map { (key: $0.key, lastUse: $0.value.lastUse) }.sorted { $0.lastUse < $1.lastUse }
        for (key, _) in byUse where state.open.count >= Self.mostIdleFiles {
            guard let index = state.open.index(forKey: key) else { continue }
            if Self.isIdle(&state.open.values[index].file) { state.open.remove(at: index) }
        }
    }

    private func open(_ path: String, _ state: State) throws(UnderstudyError) -> SinkFile {
        var (descriptor, status) = try SinkFileOpening.open(
            path, making: settings.path.directoriesToMake(of: path), permissions: settings.permissions)
        let live = state.open.values.map(\.file) + state.released.compactMap(\.file)
        if let known = live.first(where: { $0.device == status.device && $0.inode == status.inode }) {
            close(descriptor)
            return known
        }
        try lock(descriptor, path)
        // A previous lock holder may have appended to it since its size was read.
        let number = settings.calls.status(descriptor, &status)
        guard number == 0 else {
            FileLock.release(closing: descriptor)
            throw SinkFile.failure("examined", number, path)
        }
        let file = SinkFile(
            sink: settings.name, path: path, descriptor: descriptor, status: status, syncs: settings.syncs,
            keeping: keeping, calls: settings.calls, report: report)
        CrashPoint.created.pass()
        let position = file.position
        try register(
            SinkLength(
                sink: settings.name, path: path, device: file.device, inode: file.inode, length: position.length,
                born: file.born, mark: position.mark))
        CrashPoint.registered.pass()
        return file
    }

    /// Makes this process the file's only writer, or closes the file.
    private func lock(_ descriptor: Int32, _ path: String) throws(UnderstudyError) {
        switch SinkLock.take(descriptor, sink: settings.name, path: path, calls: settings.calls) {
        case .taken: break
        case .unsupported:
            report(
                UnderstudyError(
                    .inputOutput,
                    "the file system of sink \(settings.name) has no locks; ensure that no other daemon writes there",
                    at: path))
        case .refused(let error):
            close(descriptor)
            throw error
        }
    }
}
