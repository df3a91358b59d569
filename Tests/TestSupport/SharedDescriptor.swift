import Foundation

/// Another descriptor of a file that this process has open, as a process that is just being started has it until it
/// executes its program: the locks of flock(2) belong to both.
public final class SharedDescriptor {
    private let descriptor: Int32

    /// Shares the first descriptor that is open for `path`; nil where there is none.
    public init?(path: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        let open = names.first { name in
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")) == path
        }
        guard let number = open.flatMap({ Int32($0) }) else { return nil }
        descriptor = fcntl(number, F_DUPFD_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
    }

    deinit { close(descriptor) }
}
