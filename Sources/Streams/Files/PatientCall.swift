import Glibc

/// Repeats a system call for about a second while it fails with an errno that may be temporary.
///
/// For calls at a start or during the repair of a file, which aren't made again later: treating the first failure as
/// final would leave duplicate lines in a file. Spools read their segments with it at a commit as well.
enum PatientCall {
    private static let passing: Set<Int32> = [
        EINTR, EIO, ENOMEM, EAGAIN, EBUSY, EMFILE, ENFILE, ENOLCK, ENOSPC, EDQUOT,
    ]
    /// In microseconds; doubled each time.
    private static let firstPause: UInt32 = 5000
    private static let tries = 8

    /// Calls `body`, which returns 0 or the errno, until it succeeds, or fails with a permanent errno or `final`, or
    /// the time is over. Returns the last result.
    static func number(final: Int32 = 0, _ body: () -> Int32) -> Int32 {
        var pause = firstPause
        for _ in 1..<tries {
            let number = body()
            guard passing.contains(number), number != final else { return number }
            usleep(pause)
            pause *= 2
        }
        return body()
    }

    /// A non-negative descriptor or count, or the errno.
    static func result<Count: BinaryInteger>(_ body: () -> Count) -> Result<Count, CallFailure> {
        var found: Count = 0
        let number = number {
            found = body()
            return found < 0 ? errno : 0
        }
        return number == 0 ? .success(found) : .failure(CallFailure(number: number))
    }

    struct CallFailure: Error {
        var number: Int32
    }
}
