import Diagnostics
import Glibc

/// A lock held by one process: flock on a file that contains the holder's process number.
///
/// The kernel releases it when the process ends, however it ends.
public final class ProcessLock: Sendable {
    private let descriptor: Int32

    /// `busy` makes the error message if another process holds the lock; it gets that process's number if known.
    ///
    /// Errors: `tryAgain` with the message of `busy`; `cannotCreate` or `noSpace` if the file can't be created.
    public init(path: String, busy: (_ holder: String) -> String) throws(UnderstudyError) {
        let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        guard opened >= 0 else {
            let reason = errno
            throw UnderstudyError(
                .writing(reason, else: .cannotCreate), "the lock can't be created: \(StateFiles.reason(reason))",
                at: path)
        }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            let holder = Self.holder(opened)
            close(opened)
            guard reason == EWOULDBLOCK else {
                throw UnderstudyError(.inputOutput, "can't be locked: \(StateFiles.reason(reason))", at: path)
            }
            throw UnderstudyError(.tryAgain, busy(holder.map { ", process \($0)," } ?? ""), at: path)
        }
        descriptor = opened
        // The number is informational; a full disk mustn't stop a start here.
        ftruncate(opened, 0)
        let text = Array("\(getpid())\n".utf8)
        _ = pwrite(opened, text, text.count, 0)
    }

    deinit { FileLock.release(closing: descriptor) }

    public func release() { flock(descriptor, LOCK_UN) }

    private static func holder(_ descriptor: Int32) -> String? {
        var text = [UInt8](repeating: 0, count: 24)
        let count = pread(descriptor, &text, text.count, 0)
        let digits = text.prefix(max(0, count)).prefix { (0x30...0x39).contains($0) }
        return digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self)
    }
}
