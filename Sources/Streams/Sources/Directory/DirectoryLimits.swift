/// Bounds of a directory source that nobody needs to set, and tests do.
package struct DirectoryLimits: Sendable {
    /// The most descriptors kept open for files that still grow or wait for their answers.
    package var heldFiles: Int
    /// How long a file that may still have a writer must not grow before its last line is taken without an LF: longer
    /// than log rotation takes to tell a writer.
    package var settleNanoseconds: UInt64

    package init(heldFiles: Int = 256, settleNanoseconds: UInt64 = 5_000_000_000) {
        self.heldFiles = heldFiles
        self.settleNanoseconds = settleNanoseconds
    }
}
