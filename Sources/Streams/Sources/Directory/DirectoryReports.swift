import Diagnostics

/// Passes on the errors of a directory source. Used by the reader's thread.
package final class DirectoryReports {
    /// In nanoseconds.
    private static let pause: UInt64 = 3_600_000_000_000
    /// Bounds the memory of the reported errors.
    private static let mostReported = 4096

    private let report: @Sendable (UnderstudyError) -> Void
    /// The reported texts, and when.
    private var reported: [String: UInt64] = [:]

    package init(_ report: @escaping @Sendable (UnderstudyError) -> Void) { self.report = report }

    /// Reports `error`. For what happens once.
    func always(_ error: UnderstudyError) { report(error) }

    /// Reports `error` unless the same was reported within the last hour.
    package func callAsFunction(_ error: UnderstudyError, now: UInt64 = Monotonic.nanoseconds) {
        let text = error.description
        if let last = reported[text], now - last < Self.pause { return }
        if reported.count >= Self.mostReported { reported = [:] }
        reported[text] = now
        report(error)
    }
}
