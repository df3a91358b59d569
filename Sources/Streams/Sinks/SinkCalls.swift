import CFiles
import Diagnostics
import Glibc

/// The system calls of a file sink whose failures are distinguished; tests replace them. Each returns 0 or the errno.
package struct SinkCalls: Sendable {
    package var synchronise: @Sendable (_ descriptor: Int32) -> Int32 = { fdatasync($0) == 0 ? 0 : errno }
    package var status: @Sendable (_ descriptor: Int32, _ status: inout understudy_status) -> Int32 = {
        understudy_status_of_descriptor($0, &$1)
    }
    package var lock: @Sendable (_ descriptor: Int32) -> Int32 = { flock($0, LOCK_EX | LOCK_NB) == 0 ? 0 : errno }

    package init() {}
}

/// One writer per sink file: flock on the file itself. The lock ends with its descriptor, however the process ends, and
/// follows the file when that is renamed.
enum SinkLock {
    enum Outcome {
        case taken
        /// The file system doesn't support locks.
        case unsupported
        case refused(UnderstudyError)
    }

    static func take(_ descriptor: Int32, sink: String, path: String, calls: SinkCalls = SinkCalls()) -> Outcome {
        // After a reload this process's previous sink may hold the file until its last answers are committed.
        var number = PatientCall.number(final: EWOULDBLOCK) { calls.lock(descriptor) }
        var attempts = 1
        while number == EWOULDBLOCK && attempts < 100 {
            attempts += 1
            usleep(20_000)
            number = PatientCall.number(final: EWOULDBLOCK) { calls.lock(descriptor) }
        }
        switch number {
        case 0: return .taken
        case EOPNOTSUPP, ENOSYS, EINVAL: return .unsupported
        case EWOULDBLOCK:
            let holder = holder(of: descriptor)
            guard holder != getpid() else {
                return .refused(
                    UnderstudyError(
                        .tryAgain,
                        "another sink of this daemon writes to the file of sink \(sink); give each sink its own file",
                        at: path))
            }
            let who = holder.map { "process \($0)" } ?? "another process"
            return .refused(
                UnderstudyError(
                    .tryAgain,
                    "\(who) has locked the file of sink \(sink); a file has one writer: stop the other daemon, or set "
                        + "another path for this sink", at: path))
        default:
            return .refused(
                UnderstudyError(
                    .tryAgain, "the file of sink \(sink) can't be locked: \(String(cString: strerror(number)))",
                    at: path))
        }
    }

    /// The process that has locked the file, according to /proc/locks (proc_locks(5)); nil if unknown.
    private static func holder(of descriptor: Int32) -> Int32? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, let file = fopen("/proc/locks", "re") else { return nil }
        defer { fclose(file) }
        var found: [Int32] = []
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            // "1: FLOCK  ADVISORY  WRITE 1234 08:02:5678 0 EOF"; a waiter has "->" in its second field.
            let fields = text.split(separator: " ")
            guard fields.count >= 6, fields[1] == "FLOCK", let process = Int32(fields[4]), process > 0,
                fields[5].split(separator: ":").last == Substring(String(status.st_ino))
            else { continue }
            found.append(process)
        }
        return found.count == 1 ? found[0] : nil
    }
}
