import Diagnostics
import Glibc
import Streams

/// Watches a path for being created or replaced by a rename, such as a model's link. Uses one thread, which sleeps
/// between events.
final class LinkWatch: Sendable {
    private let wake: Wake
    private let thread: WorkerThread

    /// Calls `changed` on its own thread whenever the object at `path` changes.
    init(path: String, changed: @escaping @Sendable () -> Void) throws(UnderstudyError) {
        let wake = try Wake()
        self.wake = wake
        let watch = try NameWatch(path: path)
        thread = try WorkerThread(name: "link") { [watch = Handed(watch)] in
            Self.run(watch.watch, wake, changed)
        }
    }

    /// Transfers a watch to the one thread that uses it.
    ///
    /// `@unchecked Sendable`: one thread creates it and another uses it, never both at once.
    private struct Handed: @unchecked Sendable {
        let watch: NameWatch
        init(_ watch: NameWatch) { self.watch = watch }
    }

    /// Ends the watch.
    func stop() {
        wake.signal()
        thread.join()
    }

    private static func run(_ watch: NameWatch, _ wake: Wake, _ changed: () -> Void) {
        var requests = [
            pollfd(fd: watch.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            guard poll(&requests, 2, -1) >= 0 else { continue }
            if requests[1].revents != 0 { return }
            switch watch.take() {
            case .changed: changed()
            case .nothing: break
            case .directoryGone:
                // The link can't change any more; a reload creates a new watch.
                changed()
                return
            }
        }
    }
}
