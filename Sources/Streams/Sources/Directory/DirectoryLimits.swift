/// Bounds of a directory source that tests set.
package struct DirectoryLimits: Sendable {
    /// The most descriptors kept open for files that still grow or wait for their answers.
    package var heldFiles: Int
    /// How long a file that may still have a writer must not grow before its last line is taken without an LF: longer
    /// than log rotation takes to tell a writer.
    package var settleNanoseconds: UInt64

    /// The pause before what failed is tried again: doubled with every failure up to 64 times as long.
    package var retryNanoseconds: UInt64

    /// The first pause before a file that couldn't be moved or deleted is tried again; doubled likewise.
    package var disposalNanoseconds: UInt64

    package init(
        heldFiles: Int = 256, settleNanoseconds: UInt64 = 5_000_000_000, retryNanoseconds: UInt64 = 100_000_000,
        disposalNanoseconds: UInt64 = 5_000_000_000
    ) {
        self.disposalNanoseconds = disposalNanoseconds
        self.heldFiles = heldFiles
        self.settleNanoseconds = settleNanoseconds
        self.retryNanoseconds = retryNanoseconds
    }

    /// The pause after so many failures in a row, the first of them counted as 1.
    package func pause(after failures: Int) -> UInt64 { Self.doubled(retryNanoseconds, failures) }

    /// The same of moving and deleting.
    func disposalPause(after failures: Int) -> UInt64 { Self.doubled(disposalNanoseconds, failures) }

    private static func doubled(_ pause: UInt64, _ failures: Int) -> UInt64 {
        pause << UInt64(min(max(failures, 1) - 1, 6))
    }
}
