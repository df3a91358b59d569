import Diagnostics
import Glibc

/// The lock that one daemon holds on its state directory: flock on a file that names the holder's process.
///
/// The kernel lets it go when the process ends, however it ends.
final class DaemonLock: Sendable {
    private let descriptor: Int32

    /// Errors: `tryAgain` naming the holder; `cannotCreate` or `noSpace` where the file can't be made.
    init(path: String) throws(UnderstudyError) {
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard opened >= 0 else {
            let reason = errno
            throw UnderstudyError(
                .writing(reason, else: .cannotCreate), "the lock can't be made: \(StateFiles.reason(reason))", at: path)
        }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            let holder = Self.holder(opened)
            close(opened)
            guard reason == EWOULDBLOCK else {
                throw UnderstudyError(.inputOutput, "can't be locked: \(StateFiles.reason(reason))", at: path)
            }
            throw UnderstudyError(
                .tryAgain,
                "another daemon\(holder.map { ", process \($0)," } ?? "") uses this state directory; stop it first or "
                    + "give this one a directory of its own", at: path)
        }
        descriptor = opened
        // The number is for people; a full disk mustn't stop a start here.
        ftruncate(opened, 0)
        let text = Array("\(getpid())\n".utf8)
        _ = pwrite(opened, text, text.count, 0)
    }

    deinit { close(descriptor) }

    func release() { flock(descriptor, LOCK_UN) }

    private static func holder(_ descriptor: Int32) -> String? {
        var text = [UInt8](repeating: 0, count: 24)
        let count = pread(descriptor, &text, text.count, 0)
        let digits = text.prefix(max(0, count)).prefix { (0x30...0x39).contains($0) }
        return digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self)
    }
}
