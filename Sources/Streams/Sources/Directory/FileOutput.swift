/// Hands files out as events, and records in the ledger how far each was handed out.
///
/// The bytes of one file are handed out between its `.opened` and its `.finished`; an origin also ends where another
/// one is opened.
final class FileOutput {
    private let source: String
    private let ledger: Monitor<FileLedger>
    /// The file whose origin is open.
    private var announced: TrackedFile?
    /// Events that are ready to be returned.
    private var events: [SourceEvent] = []

    init(source: String, ledger: Monitor<FileLedger>) {
        self.source = source
        self.ledger = ledger
    }

    var isInterrupted: Bool { ledger.withLock { $0.isInterrupted } }

    var hasEvents: Bool { !events.isEmpty }

    func takeEvent() -> SourceEvent? { events.isEmpty ? nil : events.removeFirst() }

    /// Whether the origin of that file is open, so that its bytes may be handed out.
    func isOpen(_ file: TrackedFile) -> Bool { announced === file }

    /// Opens an origin at the file's offset.
    func announce(_ file: TrackedFile) -> SourceEvent {
        announced = file
        file.isAnswered = true
        ledger.withLock { ledger in
            ledger.update(file.identity) {
                $0.isFinished = false
                $0.isCommitted = false
            }
        }
        return .opened(file.origin(of: source))
    }

    /// The file's next bytes are announced as another stretch of it.
    func close(_ file: TrackedFile) {
        if announced === file { announced = nil }
    }

    /// Hands out `block`, the bytes at the file's offset.
    func handOut(_ file: TrackedFile, _ block: UnsafeRawBufferPointer) -> SourceEvent {
        file.advance(over: block)
        if let fingerprint = file.fingerprint { file.mark = fingerprint.hash(born: file.born) }
        noteOffset(file)
        return .bytes(block.count)
    }

    /// Records the file's offset and the mark there.
    func noteOffset(_ file: TrackedFile) {
        ledger.withLock { ledger in
            ledger.update(file.identity) {
                $0.offset = file.offset
                $0.mark = file.mark
            }
        }
    }

    /// Records the size and time that a file without more data has now.
    func noteSize(_ file: TrackedFile) {
        ledger.withLock { ledger in
            ledger.update(file.identity) {
                $0.size = file.size
                $0.modified = file.modified
            }
        }
    }

    /// Hands out the end of a file that was read to its end. `status` was read after its last byte.
    func finish(_ file: TrackedFile, _ open: OpenFile, _ status: FileStatus) throws(CannotTell) -> SourceEvent {
        if file.packing != .plain {
            file.mark = try FileMark.ofArchive(open, size: status.size, born: file.born) ?? file.mark
        }
        if file.offset > file.lineStart { file.place(at: file.offset, line: file.line + 1) }
        file.isFinished = true
        file.note(status)
        file.unpacker = nil
        file.fingerprint = nil
        file.unanswered = []
        announced = nil
        ledger.withLock { ledger in
            ledger.update(file.identity) {
                $0.isFinished = true
                $0.mark = file.mark
                $0.size = file.size
                $0.modified = file.modified
            }
        }
        return .finished
    }

    /// Hands out the end of a file that yields no more data, and with it the end of its open line.
    func end(_ file: TrackedFile) {
        guard file.isEntered, !file.isFinished else { return }
        if announced !== file { events.append(.opened(file.origin(of: source))) }
        announced = nil
        file.isFinished = true
        events.append(.finished)
        ledger.withLock { ledger in
            ledger.update(file.identity) {
                $0.isFinished = true
                $0.isCommitted = false
            }
        }
    }

    /// Hands out the directory as an empty file, so that a source without files stores a checkpoint and its next start
    /// isn't taken for the first.
    func handOutDirectory(_ path: String, _ status: FileStatus) {
        let identity = FileIdentity(device: status.node.device, inode: status.node.inode)
        let entry = FileLedger.Entry(
            path: path, followedAs: path, node: status.node, born: status.born, isArchive: true,
            open: nil, offset: 0, mark: 0, size: 0, modified: 0, isFinished: true)
        ledger.withLock { $0.insert(entry, for: identity) }
        events.append(.opened(SourceOrigin(source: source, path: path, file: identity)))
        events.append(.finished)
    }
}
