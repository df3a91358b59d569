import CSystemd
import Glibc
import Streams

/// The descriptors that a socket unit opened and handed over at the start (sd_listen_fds(3)).
///
/// The unit's FIFO stays open while the daemon is away, so lines written meanwhile wait in the pipe.
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

    /// Takes what the environment names, and unsets those variables. To be called once, before threads start; a
    /// second call gives none. Every descriptor is closed on exec.
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

    /// `entries` are owned by this object until they are claimed.
    package init(_ entries: [Entry]) {
        self.entries = Monitor(entries)
    }

    /// The descriptor of the FIFO at `path`, which belongs to the caller from now on; nil if none was handed over or
    /// it has been claimed.
    public func claim(fifo path: String) -> Int32? {
        entries.withLock { entries in
            guard let place = entries.firstIndex(where: { sd_is_fifo($0.descriptor, path) > 0 }) else { return nil }
            return entries.remove(at: place).descriptor
        }
    }

    /// What no source has asked for: worth a warning, since writers to it are never answered.
    public var unclaimed: [Entry] { entries.withLock { $0 } }
}
