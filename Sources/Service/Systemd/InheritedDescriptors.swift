import CSystemd
import Glibc
import Streams

/// The descriptors that a socket unit opened and passed at the start (sd_listen_fds(3)).
///
/// The unit's FIFO stays open while the daemon isn't running, so that lines written meanwhile wait in the pipe.
public final class InheritedDescriptors: Sendable {
    public struct Entry: Sendable, Equatable {
        public var descriptor: Int32
        /// The unit's `FileDescriptorName=`, by default the unit's name.
        public var name: String

        public init(descriptor: Int32, name: String) {
            self.descriptor = descriptor
            self.name = name
        }
    }

    private let entries: Monitor<[Entry]>

    /// Takes the descriptors listed in the environment and unsets the variables. Must be called once, before threads
    /// are started; a second call returns none. Every descriptor is set to close on exec.
    public static func take() -> InheritedDescriptors {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = sd_listen_fds_with_names(1, &names)
        guard count > 0 else { return InheritedDescriptors([]) }
        defer {
            for index in 0..<Int(count) { free(names?[index]) }
            free(names)
        }
        // SD_LISTEN_FDS_START: the first follows standard error.
        let first = STDERR_FILENO + 1
        return InheritedDescriptors(
            (0..<count).map { index in
                let name = names?[Int(index)].map { String(cString: $0) } ?? "unknown"
                return Entry(descriptor: first + index, name: name)
            })
    }

    /// The object owns `entries` until they are claimed.
    package init(_ entries: [Entry]) {
        self.entries = Monitor(entries)
    }

    /// Transfers the descriptor of the FIFO at `path` to the caller. Returns nil if none was passed or if it has been
    /// claimed.
    public func claim(fifo path: String) -> Int32? {
        entries.withLock { entries in
            guard let place = entries.firstIndex(where: { sd_is_fifo($0.descriptor, path) > 0 }) else { return nil }
            return entries.remove(at: place).descriptor
        }
    }

    /// Descriptors that no source has claimed. They deserve a warning, because lines written to them are never
    /// answered.
    public var unclaimed: [Entry] { entries.withLock { $0 } }
}
