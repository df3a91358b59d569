/// State of a source's files that the reader's and the committer's threads share.
struct FileLedger: Sendable {
    struct Entry: Sendable {
        /// nil once the file no longer has a name in the directory.
        var path: String?
        /// The name under which it was followed; a later run uses it to detect a rename.
        var followedAs: String
        var node: FileStatus.Node
        var born: Int64
        var isArchive: Bool
        var open: OpenFile?
        /// The offset up to which it was handed out, and the mark there (for an archive: the mark of the whole file).
        var offset: UInt64
        var mark: UInt64
        var size: UInt64
        var modified: Int64
        /// The offset that an earlier run had reached, and the number of the line that starts there.
        var resumed: UInt64 = 0
        var resumedLine: UInt64 = 1
        /// Whether its end was handed out; whether that has been answered.
        var isFinished = false
        var isCommitted = false
        /// It was deleted, moved away or begun anew.
        var isGone = false
        /// Whether its name is a symbolic link, whose target may have changed when it is opened again.
        var isLinked = false
        /// The number of consecutive failures to make its checkpoint.
        var failures = 0
    }

    private(set) var entries: [FileIdentity: Entry] = [:]
    /// Those with an open descriptor, least recently used first.
    private var held: [FileIdentity] = []
    private var forgotten: [FileIdentity] = []
    /// The directories of the forgotten files.
    private var directories: Set<String> = []
    /// The replaced file, by its successor: until the successor has a checkpoint, a later run knows the file only by
    /// its old checkpoint.
    private var replaced: [FileIdentity: FileIdentity] = [:]
    /// Answered files that couldn't be moved or deleted.
    private var undisposed: [FileIdentity] = []
    private let heldLimit: Int
    var isInterrupted = false

    init(heldLimit: Int) { self.heldLimit = heldLimit }

    mutating func insert(_ entry: Entry, for file: FileIdentity) {
        entries[file] = entry
        if entry.open != nil { hold(file) }
    }

    mutating func update(_ file: FileIdentity, _ change: (inout Entry) -> Void) {
        guard let index = entries.index(forKey: file) else { return }
        change(&entries.values[index])
    }

    /// Returns the open descriptor of a file that is about to be read.
    mutating func use(_ file: FileIdentity) -> OpenFile? {
        guard let open = entries[file]?.open else { return nil }
        if held.last != file {
            held.removeAll { $0 == file }
            held.append(file)
        }
        return open
    }

    mutating func keep(_ open: OpenFile, for file: FileIdentity) {
        update(file) { $0.open = open }
        hold(file)
    }

    mutating func letGo(_ file: FileIdentity) {
        guard entries[file]?.open != nil else { return }
        update(file) { $0.open = nil }
        held.removeAll { $0 == file }
    }

    /// The file yields no more data: its checkpoint may be removed once it is answered and its successor, if any, has a
    /// checkpoint.
    mutating func markGone(_ file: FileIdentity, successor: FileIdentity? = nil) {
        update(file) {
            $0.isGone = true
            $0.path = nil
        }
        if let successor { replaced[successor] = file }
        forgetIfDone(file)
    }

    /// Its end is answered, durably.
    mutating func markCommitted(_ file: FileIdentity) {
        update(file) { $0.isCommitted = true }
        letGo(file)
        forgetIfDone(file)
    }

    /// It has a checkpoint now, or never will have one.
    mutating func release(_ file: FileIdentity) {
        guard let old = replaced.removeValue(forKey: file) else { return }
        if entries[old] == nil { forget(old) } else { forgetIfDone(old) }
    }

    /// Its checkpoint may be removed in any state.
    mutating func forget(_ file: FileIdentity) {
        letGo(file)
        if let entry = entries.removeValue(forKey: file) {
            let path = entry.path ?? entry.followedAs
            if let slash = path.lastIndex(of: "/") { directories.insert(String(path[..<slash])) }
        }
        forgotten.append(file)
        release(file)
    }

    mutating func takeForgotten() -> (files: [FileIdentity], directories: Set<String>) {
        defer { (forgotten, directories) = ([], []) }
        return (forgotten, directories)
    }

    /// Their checkpoints can't be removed yet.
    mutating func putBack(_ files: [FileIdentity], _ directories: Set<String>) {
        forgotten += files
        self.directories.formUnion(directories)
    }

    mutating func noteUndisposed(_ file: FileIdentity) { undisposed.append(file) }

    mutating func takeUndisposed() -> [FileIdentity] {
        if undisposed.isEmpty { return [] }
        defer { undisposed = [] }
        return undisposed
    }

    private mutating func forgetIfDone(_ file: FileIdentity) {
        guard let entry = entries[file], entry.isGone, entry.isFinished, entry.isCommitted else { return }
        if !replaced.values.contains(file) { forget(file) }
    }

    private mutating func hold(_ file: FileIdentity) {
        held.removeAll { $0 == file }
        held.append(file)
        guard held.count > heldLimit else { return }
        // A file with a name can be reopened; one without can't.
        let longest = held.firstIndex { entries[$0].map { $0.path != nil && !$0.isLinked } ?? false } ?? 0
        guard held[longest] != file else { return }
        let old = held.remove(at: longest)
        update(old) { $0.open = nil }
    }
}
