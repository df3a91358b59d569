import CFiles
import Diagnostics
import Glibc

/// Reports events of one name in a directory (inotify(7)), without polling.
package final class NameWatch {
    package enum News {
        case nothing
        /// The name was created, removed or replaced.
        case changed
        /// The directory was removed; there will be no more events.
        case directoryGone
    }

    /// Readable when there are events.
    package let descriptor: Int32
    private let name: [UInt8]
    private var events = [UInt8](repeating: 0, count: 4096)

    package init(path: String) throws(UnderstudyError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        name = Array((parts.last ?? "").utf8)
        let directory = String(path.dropLast(name.count))
        let opened = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard opened >= 0 else {
            throw Self.failure("fs.inotify.max_user_instances", errno, path)
        }
        let mask = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF
        guard inotify_add_watch(opened, directory.isEmpty ? "." : directory, UInt32(mask)) >= 0 else {
            let number = errno
            close(opened)
            throw Self.failure("fs.inotify.max_user_watches", number, path)
        }
        // Set last: `deinit` also runs when a complete object's initialiser throws, and would close it a second time.
        descriptor = opened
    }

    deinit { close(descriptor) }

    /// Returns the events since the last call. If they can't be read, a change is assumed.
    package func take() -> News {
        var news = News.nothing
        while true {
            let count = read(descriptor, &events, events.count)
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                if count < 0, errno != EAGAIN, case .nothing = news { return .changed }
                return news
            }
            events.withUnsafeBytes { bytes in
                var place = 0
                while place + 16 <= count {
                    // struct inotify_event: wd, mask, cookie, len (four bytes each), then the name, padded with NUL.
                    let mask = Int32(bitPattern: bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self))
                    let length = Int(bytes.loadUnaligned(fromByteOffset: place + 12, as: UInt32.self))
                    let said = bytes[(place + 16)..<min(place + 16 + length, count)].prefix { $0 != 0 }
                    if mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT) != 0 {
                        news = .directoryGone
                    } else if case .nothing = news, mask & IN_Q_OVERFLOW != 0 || said.elementsEqual(name) {
                        news = .changed
                    }
                    place += 16 + length
                }
            }
        }
    }

    private static func failure(_ limit: String, _ number: Int32, _ path: String) -> UnderstudyError {
        let advice = number == ENOSPC || number == EMFILE ? "; raise the sysctl \(limit)" : ""
        return UnderstudyError(
            .tryAgain,
            "its removal or replacement won't be noticed: \(String(cString: strerror(number)))\(advice)",
            at: path)
    }
}
