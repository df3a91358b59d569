import Diagnostics
import Glibc
import Streams

/// Watches a path for being made or renamed onto: a model link that flips. One thread, asleep until something happens.
final class LinkWatch: Sendable {
    private let wake: Wake
    private let thread: WorkerThread

    /// Calls `changed`, from a thread of its own, whenever something happens to what is at `path`.
    init(path: String, changed: @escaping @Sendable () -> Void) throws(UnderstudyError) {
        let wake = try Wake()
        self.wake = wake
        let watch = try NameWatch(path: path)
        thread = try WorkerThread(name: "link") { [watch = Handed(watch)] in
            Self.run(watch.watch, wake, changed)
        }
    }

    /// A watch on its way to the one thread that uses it.
    ///
    /// `@unchecked Sendable`: made by one thread, used by the other, by both never.
    private struct Handed: @unchecked Sendable {
        let watch: NameWatch
        init(_ watch: NameWatch) { self.watch = watch }
    }

    /// Ends the watching.
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
                // The link can't flip any more; a reload makes a new watch.
                changed()
                return
            }
        }
    }
}
