import Glibc
import Synchronization

/// Points at which a test can kill the process, to simulate a crash between any two steps that must be atomic together.
/// `UNDERSTUDY_CRASH_AT=committed:3` kills it when the point is reached for the third time.
///
/// Each point is passed once per job or commit, never per line, and costs one comparison if the variable isn't set.
public enum CrashPoint: String, Sendable, CaseIterable {
    /// A sink file has been created and isn't registered yet.
    case created
    /// A sink file has been registered and is still empty.
    case registered
    /// A job's bytes are in some of its sink files but not in all.
    case appending
    /// A job's bytes are in all of its sink files; its source's position isn't recorded yet.
    case appended
    /// The cut is made; the sink files aren't synchronised yet.
    case cut
    /// The sink files are synchronised; nothing is committed yet.
    case synchronised
    /// The transaction is durable; the sources aren't notified yet.
    case committed
    /// The sources are notified: finished files have been moved or deleted.
    case acknowledged
    /// New models have been loaded and aren't in use yet.
    case swapping
    /// The run has its lock and is recorded; nothing has been read.
    case runBegun = "run-begun"
    /// The log has been read; training hasn't begun.
    case harvested
    /// Training has ended; the candidate is in memory.
    case trained
    /// The candidate is written to the work directory; it isn't measured yet.
    case measured = "candidate-written"
    /// The gate has decided; nothing is published yet.
    case decided
    /// The candidate is published; no link leads to it yet.
    case published
    /// An adopted student has been copied beside the registry's versions; it has no name yet.
    case adopted
    /// The registry's record has the promotion; the links aren't changed yet.
    case promoting
    /// One of two links is changed.
    case flipping
    /// Both links are changed; the end of the run isn't recorded yet.
    case promoted

    private static let wanted: (name: String, time: Int)? = {
        guard let value = EnvironmentVariable.value("UNDERSTUDY_CRASH_AT") else { return nil }
        let parts = value.split(separator: ":")
        guard let name = parts.first else { return nil }
        return (String(name), parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
    }()
    private static let passed = Atomic(0)

    /// Kills the process if this is the configured point.
    public func pass() {
        guard let wanted = Self.wanted, wanted.name == rawValue else { return }
        if Self.passed.wrappingAdd(1, ordering: .relaxed).newValue == wanted.time {
            kill(getpid(), SIGKILL)
        }
    }
}

/// Reads the process's environment.
public enum EnvironmentVariable {
    /// nil if the variable isn't set, or is empty, which usually means the same.
    public static func value(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
