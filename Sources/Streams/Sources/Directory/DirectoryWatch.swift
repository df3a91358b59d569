import Diagnostics
import Glibc

/// Watches directories with inotify(7).
///
/// Used by one thread. It holds no file open, so that deleted files are released.
final class DirectoryWatch {
    struct Change {
        enum Kind {
            /// A writer has closed it.
            case closed
            /// It was renamed to this name.
            case arrived
            /// It was renamed to another name, perhaps in another directory.
            case left
            case deleted
            /// It was created, or its content, permissions or number of names changed.
            case changed
        }

        var directory: String
        var name: String
        var kind: Kind
        var isDirectory: Bool
    }

    struct Changes {
        var list: [Change] = []
        /// Some events were lost, or concern a directory as a whole: everything must be examined.
        var isEverything = false
        /// Directories that were removed, moved or unmounted.
        var lost: [String] = []
        /// Whether another directory may have replaced the one given to `addAncestors`.
        var hasMoved = false
        /// Events couldn't be read.
        var failure: CannotTell?
    }

    enum AddOutcome {
        case added
        /// The directory doesn't exist.
        case absent
        /// The directory can't be watched now, or isn't readable.
        case unknown(CannotTell)
        /// The limit of watches is reached; errno.
        case full(Int32)
    }

    private static let bufferBytes = 65_536
    private static let selfMask = UInt32(IN_ONLYDIR) | UInt32(IN_DELETE_SELF) | UInt32(IN_MOVE_SELF)
    private static let nameMask =
        UInt32(IN_CREATE) | UInt32(IN_DELETE) | UInt32(IN_MOVED_FROM) | UInt32(IN_MOVED_TO)

    let descriptor: Int32
    private let calls: DirectoryCalls
    private let mask: UInt32
    private var directories: [Int32: String] = [:]
    private var numbers: [String: Int32] = [:]
    /// The ancestor directories, and the names in them on the path.
    private var ancestors: [Int32: Set<String>] = [:]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: DirectoryWatch.bufferBytes, alignment: 8)

    /// `modifications`: report every write too, not only closing. nil with errno if the system's limit is reached.
    init?(modifications: Bool, calls: DirectoryCalls) {
        descriptor = calls.initialise()
        self.calls = calls
        var mask = UInt32(IN_CLOSE_WRITE) | UInt32(IN_MOVED_TO) | UInt32(IN_MOVED_FROM) | UInt32(IN_DELETE)
        mask |= UInt32(IN_CREATE) | UInt32(IN_ATTRIB)
        if modifications { mask |= UInt32(IN_MODIFY) }
        self.mask = mask
        guard descriptor >= 0 else { return nil }
    }

    deinit {
        buffer.deallocate()
        if descriptor >= 0 { close(descriptor) }
    }

    func isWatching(_ directory: String) -> Bool { numbers[directory] != nil }

    /// Watches the directory that is at this path now, unless it is watched already.
    func add(_ directory: String) -> AddOutcome {
        let number = calls.add(descriptor, directory, mask | Self.selfMask)
        guard number >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR: return .absent
            case ENOSPC, ENOMEM: return .full(errno)
            default: return .unknown(CannotTell(number: errno))
            }
        }
        // The same directory under another path keeps its number: it was renamed.
        if let old = directories[number], old != directory { numbers[old] = nil }
        if let old = numbers[directory], old != number {
            inotify_rm_watch(descriptor, old)
            directories[old] = nil
        }
        directories[number] = directory
        numbers[directory] = number
        return .added
    }

    /// Watches the ancestors of `directory`, as far as possible, for a replacement of the directory.
    ///
    /// The directory's own watch doesn't report that while a file that was in it is open: the kernel keeps a removed
    /// directory until then. False if its parent can't be watched.
    func addAncestors(of directory: String) -> Bool {
        var isWhole = true
        var paths = [directory]
        if let real = realPath(directory), real != directory { paths.append(real) }
        for path in paths {
            var below = path
            while true {
                let (above, name) = Self.split(below)
                guard !name.isEmpty else { break }
                let number = calls.add(descriptor, above, Self.nameMask | Self.selfMask)
                if number >= 0, directories[number] == nil {
                    ancestors[number, default: []].insert(name)
                } else if below == path {
                    isWhole = false
                }
                if above == "/" || above == "." { break }
                below = above
            }
        }
        return isWhole
    }

    /// The parent directory of a path, and the name in it.
    private static func split(_ path: String) -> (above: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
    }

    /// Removes a directory and all below it, after a rename or removal.
    func remove(_ directory: String) {
        for (path, number) in numbers where path == directory || path.hasPrefix(directory + "/") {
            inotify_rm_watch(descriptor, number)
            directories[number] = nil
            numbers[path] = nil
        }
    }

    /// All pending changes; doesn't wait.
    func take() -> Changes {
        var changes = Changes()
        while true {
            let count = calls.events(descriptor, buffer)
            if count < 0 {
                let number = errno
                if number == EINTR { continue }
                if number != EAGAIN { changes.failure = CannotTell(number: number) }
                return changes
            }
            guard count > 0 else { return changes }
            parse(UnsafeRawBufferPointer(rebasing: buffer[..<count]), into: &changes)
        }
    }

    private func parse(_ bytes: UnsafeRawBufferPointer, into changes: inout Changes) {
        let headBytes = MemoryLayout<inotify_event>.size
        var index = 0
        while index + headBytes <= bytes.count {
            let event = bytes.loadUnaligned(fromByteOffset: index, as: inotify_event.self)
            let nameBytes = bytes[(index + headBytes)..<(index + headBytes + Int(event.len))]
            index += headBytes + Int(event.len)
            parse(event, nameBytes, into: &changes)
        }
    }

    private func parse(_ event: inotify_event, _ nameBytes: Slice<UnsafeRawBufferPointer>, into changes: inout Changes)
    {
        func has(_ flag: some BinaryInteger) -> Bool { event.mask & UInt32(truncatingIfNeeded: flag) != 0 }
        if has(IN_Q_OVERFLOW) {
            changes.isEverything = true
            changes.hasMoved = true
        }
        let isGone = has(IN_IGNORED) || has(IN_DELETE_SELF) || has(IN_MOVE_SELF) || has(IN_UNMOUNT)
        if let names = ancestors[event.wd] {
            if isGone {
                changes.hasMoved = true
                if !has(IN_IGNORED) { inotify_rm_watch(descriptor, event.wd) }
                ancestors[event.wd] = nil
            } else if names.contains(where: { $0.utf8.elementsEqual(nameBytes.prefix { $0 != 0 }) }) {
                changes.hasMoved = true
            }
            return
        }
        guard let directory = directories[event.wd] else { return }
        if isGone {
            changes.lost.append(directory)
            if !has(IN_IGNORED) { inotify_rm_watch(descriptor, event.wd) }
            directories[event.wd] = nil
            numbers[directory] = nil
            return
        }
        guard let name = String(validating: nameBytes.prefix { $0 != 0 }, as: UTF8.self), !name.isEmpty else { return }
        let kind: Change.Kind =
            if has(IN_DELETE) {
                .deleted
            } else if has(IN_MOVED_FROM) {
                .left
            } else if has(IN_MOVED_TO) {
                .arrived
            } else if has(IN_CLOSE_WRITE) {
                .closed
            } else {
                .changed
            }
        changes.list.append(Change(directory: directory, name: name, kind: kind, isDirectory: has(IN_ISDIR)))
    }
}
